/** Structural subset of `expo-localization`. */
export interface Localization {
  getCalendars(): readonly { readonly timeZone: string }[];
  getLocales(): readonly { readonly languageTag: string; readonly regionCode: string }[];
}

export function createLocalization(current: () => { timeZone: string }): Localization {
  return {
    getCalendars: () => [{ timeZone: current().timeZone }],
    getLocales: () => [{ languageTag: 'en-GB', regionCode: 'GB' }],
  };
}

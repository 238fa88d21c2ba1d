// The page's only script. Without it all can be read, and a click on a command selects it.

/** Puts a Copy button beside everything that has `data-copy`, and opens all details for printing. */
export const PAGE_SCRIPT = `
for (const source of document.querySelectorAll('[data-copy]')) {
  const button = document.createElement('button');
  button.type = 'button';
  const say = (word) => {
    button.textContent = word;
    button.setAttribute('aria-label', word + ' ' + source.dataset.copy);
  };
  say('Copy');
  button.addEventListener('click', async () => {
    const text = source.textContent.trim();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      getSelection().selectAllChildren(source);
      document.execCommand('copy');
    }
    say('Copied');
    setTimeout(say, 1500, 'Copy');
  });
  source.after(button);
}
addEventListener('beforeprint', () => {
  for (const each of document.querySelectorAll('details')) each.open = true;
});
`.trim();

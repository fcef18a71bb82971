/**
 * Code in headings, as in "Directions: `zDelta`", for the list of headings at the right and for anchors: typedoc takes them from the
 * plain text of a heading, so code becomes text between two tags.
 */
import { Application } from 'typedoc';

/** @param {Application} app */
export function load(app) {
  // Options that plugins set while they are loaded are forgotten again.
  app.on(Application.EVENT_BOOTSTRAP_END, () =>
    app.options.setValue('markdownItLoader', readsCodeInHeadings),
  );
}

function readsCodeInHeadings(parser) {
  parser.core.ruler.push('code-in-headings', ({ tokens, Token }) => {
    const tag = (content) => Object.assign(new Token('html_inline', '', 0), { content });
    tokens.forEach((token, i) => {
      if (tokens[i - 1]?.type !== 'heading_open') return;
      token.children = token.children.flatMap((child) => {
        if (child.type !== 'code_inline') return [child];
        const text = Object.assign(new Token('text', '', 0), { content: child.content });
        return [tag('<code>'), text, tag('</code>')];
      });
    });
  });
}

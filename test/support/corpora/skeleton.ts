/** What of a page is markup: for comparing a page with a harmless text to one with a hostile text in it. */
import { type HTMLElement, NodeType, parse } from 'node-html-parser';

const ACTIVE = new Set(['href', 'src', 'action', 'formaction', 'style', 'method', 'type', 'name']);

/** Elements with the names of their attributes, and the values of those that lead or do something. */
export const skeletonOf = (page: string): readonly string[] =>
  parse(page, { comment: true })
    .querySelectorAll('*')
    .map((element) => `${depthOf(element)} ${element.rawTagName} ${attributesOf(element)}`);

const depthOf = (element: HTMLElement): number => {
  let depth = 0;
  for (let each = element.parentNode; each?.nodeType === NodeType.ELEMENT_NODE; ) {
    depth += 1;
    each = each.parentNode;
  }
  return depth;
};

const attributesOf = ({ attributes }: HTMLElement): string =>
  Object.entries(attributes)
    .map(([name, value]) => (ACTIVE.has(name.toLowerCase()) ? `${name}=${value}` : name))
    .join(' ');

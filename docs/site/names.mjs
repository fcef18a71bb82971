/**
 * Names of the library, sorted: each gets the category of its folder in src/, and each type the example of the nearest
 * function or class that takes or returns it. (A test runs the examples; another one sees that no page lacks one.)
 */
import { Comment, CommentTag, Converter, ReflectionKind } from 'typedoc';

const categories = {
  'src/attributes/augment': 'Augmentation',
  'src/attributes/bias': 'Small samples',
  'src/attributes/mixing': 'Mixtures',
  'src/statistics/normality': 'Normality',
  'src/statistics/multivariate': 'Normality',
  'src/attributes/prior': 'Priors',
  'src/statistics/covariance': 'Covariances',
  'src/attributes/range': 'Learnable ranges',
  'src/attributes/transfer': 'Transfer',
  'src/attributes': 'Directions and latents',
  'src/statistics': 'Directions and latents',
  'src/flows': 'Flows',
  'src/layers/networks': 'Conditioner networks',
  'src/layers': 'Bijectors',
  'src/distributions': 'Distributions',
  'src/training': 'Training',
  'src/data': 'Data',
  'src/io': 'Files',
  'src/published': 'Published checkpoints',
  'src/linalg': 'Small matrices',
  'src/core': 'Modules, errors, random numbers',
};

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const name of publicNames(project)) {
      const path = project.getSymbolIdFromReflection(name)?.packagePath ?? '';
      const folder = Object.keys(categories).find((prefix) => path.startsWith(`${prefix}/`));
      if (folder !== undefined) addTag(name, '@category', [{ kind: 'text', text: categories[folder] }]);
    }
  });
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const [type, user] of nearestUsers(project, app.serializer)) {
      const { content } = exampleOf(user);
      const link = { kind: 'inline-tag', tag: '@link', text: user.name, target: user };
      addTag(type, '@example', [
        { kind: 'text', text: 'As ' },
        link,
        { kind: 'text', text: ' uses it:\n' },
        ...content,
      ]);
    }
  });
}

function publicNames(project) {
  return project.children.flatMap((module) => module.children ?? []);
}

function exampleOf(name) {
  return commentsOf(name)
    .flatMap((comment) => comment.blockTags)
    .find(({ tag }) => tag === '@example');
}

function commentsOf(name) {
  return [name, ...(name.signatures ?? [])].flatMap(({ comment }) => comment ?? []);
}

function addTag(name, tag, content) {
  const target = name.signatures?.[0] ?? name;
  target.comment ??= new Comment();
  target.comment.blockTags.push(new CommentTag(tag, content));
}

/**
 * For every type without an example: the name with one whose options it describes, or that mentions it, over as few other types as
 * possible; functions before classes.
 */
function nearestUsers(project, serializer) {
  const names = publicNames(project).filter((name) => !name.kindOf(ReflectionKind.Reference));
  const byId = new Map(names.map((name) => [name.id, name]));
  const mentioned = new Map(names.map((name) => [name, mentions(serializer.toObject(name), byId)]));
  const shown = names.filter(exampleOf);
  const functionsFirst = [ReflectionKind.Function, ReflectionKind.Class].flatMap((kind) =>
    shown.filter((name) => name.kindOf(kind)),
  );
  const users = new Map(shown.map((name) => [name, name]));
  for (const user of shown) {
    const options = names.find(({ name }) => name.toLowerCase() === `${user.name.toLowerCase()}options`);
    if (options !== undefined && !users.has(options)) users.set(options, user);
  }
  for (let reached = [...functionsFirst, ...users.keys()]; reached.length > 0; ) {
    reached = reached.flatMap((name) =>
      mentioned.get(name).filter((type) => {
        if (users.has(type)) return false;
        users.set(type, users.get(name));
        return true;
      }),
    );
  }
  return [...users].filter(([type, user]) => type !== user);
}

/** Public names that a serialized reflection refers to. */
function mentions(value, byId, found = new Set()) {
  if (value === null || typeof value !== 'object') return [];
  if (value.type === 'reference' && byId.has(value.target)) found.add(byId.get(value.target));
  for (const [key, part] of Object.entries(value)) {
    if (!['comment', 'inheritedFrom', 'overwrites', 'implementationOf'].includes(key))
      mentions(part, byId, found);
  }
  return [...found];
}

/** What each folder of src may import besides itself. Imports point down; the doors at the end are imported by nothing inside. */
const below = {
  core: [],
  engine: ['core'],
  linalg: ['core', 'engine'],
  data: ['core'],
  io: ['core'],
  statistics: ['core', 'linalg'],
  attributes: ['core', 'linalg', 'statistics'],
  layers: ['core', 'engine', 'linalg'],
  distributions: ['core', 'engine', 'linalg', 'layers'],
  training: ['core', 'engine', 'linalg', 'data', 'layers', 'distributions', 'io'],
  flows: ['core', 'engine', 'linalg', 'data', 'statistics', 'io', 'layers', 'distributions', 'training'],
  published: ['core', 'linalg', 'data', 'layers', 'distributions', 'flows'],
};
const doors = ['node', 'cli', 'wasm', 'webgpu', 'testing', 'notebook'];

module.exports = {
  forbidden: [
    ...Object.entries(below).map(([folder, allowed]) => ({
      name: `${folder}-imports-down`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: '^src/', pathNot: `^src/(${[folder, ...allowed].join('|')})/` },
    })),
    {
      name: 'no-circle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'doors-open-outwards',
      comment:
        'node, cli, wasm, webgpu, testing and notebook are entries of their own: the library inside never imports them',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(${doors.join('|')})/` },
      to: { path: `^src/(${doors.join('|')})/` },
    },
    {
      name: 'node-behind-its-door',
      comment:
        'everything else must run in a page; wasm and webgpu also do, and look for Node before they import',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(node|cli|wasm|webgpu)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'every-folder-has-its-place',
      comment: 'a new folder of src must be put into this file',
      severity: 'error',
      from: { path: `^src/(?!(${[...Object.keys(below), ...doors].join('|')})/)[^/]+/` },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
};

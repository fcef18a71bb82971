export type { Location } from './handlers';
export { loadModule, moduleFromArtifacts, moduleToArtifacts, saveModule } from './module';

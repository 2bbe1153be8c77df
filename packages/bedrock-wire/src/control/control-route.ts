/** The operations of bedrock-agent that are spoken, with what it takes: paths are those of the service model. */
const routes = {
  CreateKnowledgeBase: ['PUT', ''],
  ListKnowledgeBases: ['POST', ''],
  GetKnowledgeBase: ['GET', ':kb'],
  UpdateKnowledgeBase: ['PUT', ':kb'],
  DeleteKnowledgeBase: ['DELETE', ':kb'],
  CreateDataSource: ['PUT', ':kb/datasources'],
  ListDataSources: ['POST', ':kb/datasources'],
  GetDataSource: ['GET', ':kb/datasources/:ds'],
  UpdateDataSource: ['PUT', ':kb/datasources/:ds'],
  DeleteDataSource: ['DELETE', ':kb/datasources/:ds'],
  StartIngestionJob: ['PUT', ':kb/datasources/:ds/ingestionjobs'],
  ListIngestionJobs: ['POST', ':kb/datasources/:ds/ingestionjobs'],
  GetIngestionJob: ['GET', ':kb/datasources/:ds/ingestionjobs/:job'],
  StopIngestionJob: ['POST', ':kb/datasources/:ds/ingestionjobs/:job/stop'],
  IngestKnowledgeBaseDocuments: ['PUT', ':kb/datasources/:ds/documents'],
  ListKnowledgeBaseDocuments: ['POST', ':kb/datasources/:ds/documents'],
  GetKnowledgeBaseDocuments: ['POST', ':kb/datasources/:ds/documents/getDocuments'],
  DeleteKnowledgeBaseDocuments: ['POST', ':kb/datasources/:ds/documents/deleteDocuments'],
} as const;

export type ControlOperation = keyof typeof routes;

export const controlOperations = Object.keys(routes) as readonly ControlOperation[];

export interface ControlRoute {
  readonly operation: ControlOperation;
  /** As they stand in the path, decoded and not checked yet; empty for operations that have none. */
  readonly knowledgeBaseId: string;
  readonly dataSourceId: string;
  readonly ingestionJobId: string;
}

const base = '/knowledgebases/';

const patterns = controlOperations.map((operation) => {
  const [method, template] = routes[operation];
  const source = template.replace(/:(\w+)/g, '(?<$1>[^/]+)');
  return { operation, method, pattern: new RegExp(`^${source}/?$`) };
});

/** The operation of the control plane that a request is, or undefined. Some SDKs end paths with a slash, some do not. */
export function controlRouteOf(method: string, path: string): ControlRoute | undefined {
  if (path !== base.slice(0, -1) && !path.startsWith(base)) return undefined;
  const below = path.slice(base.length);
  for (const route of patterns) {
    const found = route.method === method ? route.pattern.exec(below) : null;
    if (found === null) continue;
    const { kb = '', ds = '', job = '' } = found.groups ?? {};
    try {
      return {
        operation: route.operation,
        knowledgeBaseId: decodeURIComponent(kb),
        dataSourceId: decodeURIComponent(ds),
        ingestionJobId: decodeURIComponent(job),
      };
    } catch {
      return undefined;
    }
  }
  return undefined;
}

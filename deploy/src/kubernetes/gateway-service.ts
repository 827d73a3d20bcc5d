import type { IService } from 'kubernetes-models/v1';
import { selectorLabels } from './conventions.js';

/** The only service of our own that is called over HTTP; the others are called over NATS. */
export const gatewayService = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'gateway', labels: selectorLabels('gateway') },
  spec: {
    type: 'ClusterIP',
    selector: selectorLabels('gateway'),
    ports: [{ name: 'http', port: 80, targetPort: 'http' }],
  },
} satisfies IService;

import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { NATS_PORTS } from '../nats-config.js';
import { POSTGRES_PORT } from '../postgres-init.js';
import { HTTP_PORT } from '../workloads.js';
import { ACCESS, MONITORING_NAMESPACE, selectorLabels } from './conventions.js';

const denyAll = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'default-deny' },
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
} satisfies INetworkPolicy;

const dns = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'allow-dns' },
  spec: {
    podSelector: {},
    policyTypes: ['Egress'],
    egress: [
      {
        to: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
            podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
          },
        ],
        ports: [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 },
        ],
      },
    ],
  },
} satisfies INetworkPolicy;

/** Both ends of a connection: who carries the label may go out to the port, and the server lets them in. */
function reach(name: string, label: string, server: string, port: number): INetworkPolicy[] {
  const clients = { matchLabels: { [label]: 'true' } };
  const servers = { matchLabels: selectorLabels(server) };
  const ports = [{ protocol: 'TCP' as const, port }];
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: `${name}-clients` },
      spec: {
        podSelector: clients,
        policyTypes: ['Egress'],
        egress: [{ to: [{ podSelector: servers }], ports }],
      },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: `${name}-server` },
      spec: {
        podSelector: servers,
        policyTypes: ['Ingress'],
        ingress: [{ from: [{ podSelector: clients }], ports }],
      },
    },
  ] satisfies INetworkPolicy[];
}

const scrape = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'allow-scrape' },
  spec: {
    podSelector: { matchLabels: { [ACCESS.http]: 'true' } },
    policyTypes: ['Ingress'],
    ingress: [
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': MONITORING_NAMESPACE } },
          },
        ],
        ports: [{ protocol: 'TCP', port: HTTP_PORT }],
      },
    ],
  },
} satisfies INetworkPolicy;

/** The door for people: whatever proxy stands before it, in any namespace of the cluster. */
const gateway = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'allow-gateway' },
  spec: {
    podSelector: { matchLabels: selectorLabels('gateway') },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ protocol: 'TCP', port: HTTP_PORT }] }],
  },
} satisfies INetworkPolicy;

/** NATS' monitoring port is unauthenticated: nothing but the node's own probes reaches it. */
export const networkPolicies: readonly INetworkPolicy[] = [
  denyAll,
  dns,
  ...reach('nats', ACCESS.bus, 'nats', NATS_PORTS.client),
  ...reach('postgres', ACCESS.database, 'postgres', POSTGRES_PORT),
  scrape,
  gateway,
];

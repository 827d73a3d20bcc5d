import { boardProvisioning, datasourceProvisioning } from './grafana/provisioning.js';
import { overviewBoard } from './grafana/overview-board.js';
import { baseFiles } from './kubernetes/base.js';
import { localCpuFiles } from './kubernetes/local-cpu-overlay.js';
import { natsConfig } from './nats-config.js';
import { postgresInit } from './postgres-init.js';
import { RULES_FILE, rulesFile } from './prometheus/rules-file.js';
import { prometheusConfig } from './prometheus/scrape-config.js';
import { yamlFile } from './yaml-file.js';

/** Every file of `deploy/generated`, by its path there. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ...within('kubernetes/base', baseFiles()),
    ...within('kubernetes/overlays/local-cpu', localCpuFiles()),
    ['grafana/fidelis-overview.json', `${JSON.stringify(overviewBoard(), null, 2)}\n`],
    ['grafana/provisioning/datasources/prometheus.yaml', yamlFile(datasourceProvisioning)],
    ['grafana/provisioning/dashboards/fidelis.yaml', yamlFile(boardProvisioning)],
    ['prometheus/prometheus.yaml', yamlFile(prometheusConfig())],
    [`prometheus/${RULES_FILE}`, yamlFile(rulesFile())],
    ['nats/nats.conf', natsConfig()],
    ['postgres/init.sql', postgresInit()],
  ]);
}

function within(folder: string, files: ReadonlyMap<string, string>): [string, string][] {
  return [...files].map(([name, text]) => [`${folder}/${name}`, text]);
}

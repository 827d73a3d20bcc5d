import { HTTP_PORT, WORKLOADS } from '../workloads.js';
import { RULES_FILE } from './rules-file.js';

/** Configuration of the Compose file's Prometheus: one job for each workload, so that `job` names it on the boards. */
export function prometheusConfig(): object {
  return {
    global: { scrape_interval: '5s', scrape_timeout: '4s' },
    // Beside this file.
    rule_files: [RULES_FILE],
    scrape_configs: WORKLOADS.map(({ name }) => ({
      job_name: name,
      // By name and not by address: a workload that is scaled has several.
      dns_sd_configs: [{ names: [name], type: 'A', port: HTTP_PORT, refresh_interval: '5s' }],
    })),
  };
}

import { alertingRules } from './alerting-rules.js';
import { recordingRules } from './recording-rules.js';

export const RULES_FILE = 'rules.yaml';

/** https://prometheus.io/docs/prometheus/latest/configuration/recording_rules */
export function rulesFile(): object {
  return {
    groups: [
      { name: 'fidelis-calibration', interval: '30s', rules: recordingRules },
      { name: 'fidelis-alerts', interval: '15s', rules: alertingRules },
    ],
  };
}

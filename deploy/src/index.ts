export { generatedFiles } from './generated-files.js';
export { IMAGES } from './images.js';
export { alertingRules, THRESHOLDS, type AlertingRule } from './prometheus/alerting-rules.js';
export {
  BY_RUN,
  calibrationQueries,
  RELIABILITY_COUNTERS,
  type CalibrationScope,
} from './prometheus/calibration-queries.js';
export { RECORDED_WINDOWS, recordingRules, type RecordingRule } from './prometheus/recording-rules.js';
export { HTTP_PORT, programEntry, STOP_GRACE_SECONDS, WORKLOADS, type Workload } from './workloads.js';

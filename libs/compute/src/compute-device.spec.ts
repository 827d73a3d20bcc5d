import { describe, expect, it } from 'vitest';
import { deviceInUse, processorDevice } from './compute-device.js';

const cpu = { name: '/device:CPU:0', type: 'CPU', memoryBytes: 268_435_456 };
const gpu = { name: '/device:GPU:0', type: 'GPU', memoryBytes: 8e9, model: 'Model T' };

describe('the device in use', () => {
  it('is the processor where TensorFlow lists no GPU', () => {
    expect(deviceInUse([cpu], false)).toEqual(processorDevice());
    expect(deviceInUse(undefined, false).kind).toBe('cpu');
  });

  it('is the last GPU, as the addon takes it, by the name that its driver gives', () => {
    expect(deviceInUse([cpu, gpu, { ...gpu, model: 'Model S' }], true)).toEqual({
      kind: 'gpu',
      name: 'Model S',
      memoryBytes: 8e9,
    });
  });

  it('has TensorFlow’s name, or none, where nobody tells more', () => {
    const { model: _model, ...unnamed } = gpu;
    expect(deviceInUse([unnamed], true).name).toBe('/device:GPU:0');
    expect(deviceInUse(undefined, true)).toEqual({ kind: 'gpu', name: 'GPU' });
  });
});

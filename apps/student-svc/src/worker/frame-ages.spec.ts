import { describe, expect, it } from 'vitest';
import { FrameAges } from './frame-ages.js';

describe('FrameAges', () => {
  it('tells seconds from when a step was stored to when it is trained, each once', () => {
    let now = 10_000;
    const sut = new FrameAges(9_000, () => now);
    sut.arrived(4, 9_500);
    sut.arrived(5, 9_600);
    sut.trained(4);
    now = 12_600;
    sut.trained(5);
    sut.trained(5);
    expect(sut.take()).toEqual([0.5, 3]);
    expect(sut.take()).toEqual([]);
  });

  it('leaves out what was stored before the student began, which is a replay', () => {
    const sut = new FrameAges(9_000, () => 10_000);
    sut.arrived(0, 8_999);
    sut.trained(0);
    expect(sut.take()).toEqual([]);
  });

  it('counts the last part of a step, and no negative ages where clocks differ', () => {
    const sut = new FrameAges(9_000, () => 10_000);
    sut.arrived(0, 9_100);
    sut.arrived(0, 9_200);
    sut.arrived(1, 10_500);
    sut.trained(0);
    sut.trained(1);
    expect(sut.take()).toEqual([0.8, 0]);
  });
});

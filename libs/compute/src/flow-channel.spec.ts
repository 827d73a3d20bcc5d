import { describe, expect, it } from 'vitest';
import { FlowChannel, type Envelope } from './flow-channel.js';

describe('FlowChannel', () => {
  it('holds the sender back until the other side takes a message', async () => {
    const posted: Envelope[] = [];
    const channel = new FlowChannel<number, number>((envelope) => {
      posted.push(envelope);
      return Promise.resolve();
    });
    const sends = Array.from({ length: 20 }, (_, i) => channel.send(i));
    await Promise.all(sends.slice(0, 16));
    expect(posted).toHaveLength(16);
    channel.accept({ kind: 'taken' });
    await sends[16];
    expect(posted).toHaveLength(17);
    channel.end();
    await expect(sends[17]).rejects.toThrow('closed');
    await expect(sends[18]).rejects.toThrow('closed');
    await expect(sends[19]).rejects.toThrow('closed');
  });

  it('hands out what had arrived before it throws what ended it', async () => {
    const channel = new FlowChannel<number, string>(() => Promise.resolve());
    channel.accept({ kind: 'message', body: 'a' });
    channel.accept({ kind: 'message', body: 'b' });
    channel.end(new Error('gone'));
    const received: string[] = [];
    await expect(async () => {
      for await (const message of channel.messages) received.push(message);
    }).rejects.toThrow('gone');
    expect(received).toEqual(['a', 'b']);
  });

  it('still sends after its reading ended', async () => {
    const posted: Envelope[] = [];
    const channel = new FlowChannel<string, string>((envelope) => {
      posted.push(envelope);
      return Promise.resolve();
    });
    channel.endReading();
    expect(await channel.messages[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
    await channel.send('checkpoint');
    expect(posted).toEqual([{ kind: 'message', body: 'checkpoint' }]);
  });

  it('acknowledges a message when it is taken, not when it arrives', async () => {
    const posted: Envelope[] = [];
    const channel = new FlowChannel<number, string>((envelope) => {
      posted.push(envelope);
      return Promise.resolve();
    });
    channel.accept({ kind: 'message', body: 'a' });
    expect(posted).toEqual([]);
    await channel.messages[Symbol.asyncIterator]().next();
    expect(posted).toEqual([{ kind: 'taken' }]);
  });
});

import { describe, expect, it } from 'vitest';
import { refusalKind } from '../../../src/delivery/transport/refusal-kind.ts';
import type { SubmissionFailure } from '../../../src/delivery/transport/retry.ts';

describe('refusalKind', () => {
  it.each<[string, Partial<SubmissionFailure>, string | null]>([
    ['throttles', { replyCode: 421, reply: '421 4.7.0 slow down', command: 'RCPT TO' }, 'throttled'],
    ['throttles the sender', { replyCode: 421, reply: '421 4.7.0 slow down', command: 'MAIL FROM' }, null],
    ['shuts down', { replyCode: 421, reply: '421 4.3.2 shutting down', command: 'RCPT TO' }, 'temporary'],
    ['timed out', { replyCode: 421, reply: '421 4.4.2 timeout', command: 'CONN' }, 'temporary'],
    ['defers by policy', { replyCode: 450, reply: '450 4.7.1 greylisted', command: 'RCPT TO' }, 'temporary'],
    ['knows no such recipient', { replyCode: 550, reply: '550 no such user', command: 'RCPT TO' }, 'permanent'],
    ['refuses by policy', { replyCode: 554, reply: '554 5.7.1 relay denied', command: 'RCPT TO' }, 'policy'],
    ['puts the status elsewhere', { replyCode: 553, reply: '553 relaying (#5.7.1)', command: 'RCPT TO' }, 'permanent'],
    ['contradicts itself', { replyCode: 554, reply: '554 4.7.1 hm', command: 'RCPT TO' }, 'permanent'],
    ['refuses the message without a status', { replyCode: 554, reply: '554 no', command: 'DATA' }, 'policy'],
    ['refuses the sender', { replyCode: 550, reply: '550 5.7.1 no', command: 'MAIL FROM' }, null],
    ['answers nothing', { code: 'ETIMEDOUT' }, 'throttled'],
    ['closes the connection', { code: 'ECONNECTION' }, 'temporary'],
    ['answers nothing to a whole message', { code: 'ETIMEDOUT', mayHaveArrived: true }, 'uncertain'],
    ['was not asked', { code: 'EENVELOPE', command: 'API' }, null],
  ])('decides by codes for a server that %s', (_name, parts, expected) => {
    expect(refusalKind({ code: null, replyCode: null, reply: null, command: null, ...parts })).toBe(expected);
  });
});

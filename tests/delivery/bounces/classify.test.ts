import { describe, expect, it } from 'vitest';
import { classifyRefusal, findStatus, hasSenderStatus, isAboutSender } from '../../../src/delivery/bounces/classify.ts';

describe('classifyRefusal', () => {
  it.each([
    // Expected severity, then status and text of the refusal.
    ['hard', '5.1.1', ''],
    ['hard', '5.1.2', 'bad destination system'],
    ['hard', '5.1.3', ''],
    ['hard', '5.1.6', ''],
    ['hard', '5.1.10', 'null MX'],
    ['hard', '5.2.1', 'The email account that you tried to reach is disabled'],
    ['hard', '5.0.0', '550 unknown user'],
    ['hard', '5.0.0', '550 5.1.1 <a@example.com>... User unknown'],
    ['hard', null, '550 No such user here'],
    ['hard', null, '550-5.1.1 The email account that you tried to reach does not exist.'],
    ['hard', null, "This user doesn't have a example.com account (a@example.com) (#5.1.1)"],
    ['hard', '5.4.1', '550 5.4.1 Recipient address rejected: Access denied.'],
    ['hard', '5.7.1', '550 5.7.1 recipient unknown'],
    ['hard', '5.5.0', '550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)'],
    ['hard', '5.1.0', '550 5.1.0 Address rejected: invalid recipient'],
    ['soft', '5.1.0', '550 5.1.0 sender rejected'],
    ['soft', '5.1.7', 'bad sender address'],
    ['soft', '5.1.8', 'sender domain does not exist'],
    ['soft', '5.2.2', 'mailbox full'],
    ['soft', '5.2.3', 'message too long'],
    ['soft', '5.3.4', 'message too big'],
    ['soft', '5.4.4', 'host not found'],
    ['soft', '5.4.1', 'no answer from host'],
    ['soft', '5.5.0', '550 5.5.0 Requested action not taken'],
    ['soft', '5.6.1', 'media not supported'],
    ['soft', '5.7.1', 'blocked by policy'],
    ['soft', '5.7.1', 'sender address unknown'],
    ['hard', '5.7.606', '550 5.7.606 no such user'],
    ['soft', '5.7.26', 'unauthenticated mail is not accepted'],
    ['soft', '5.7.606', 'access denied, banned sending IP'],
    ['soft', '4.2.2', 'mailbox full'],
    ['soft', '4.1.1', 'user unknown, for now'],
    ['soft', '4.4.7', 'delivery time expired'],
    ['soft', '4.0.0', '450 greylisted, was 550 5.1.1 before'],
    ['soft', '5.0.0', '554 message refused'],
    ['soft', '5.9.9', 'a status that nobody knows'],
    ['soft', null, '450 unknown user'],
    ['soft', null, 'user unknown'],
    ['soft', null, ''],
  ] as const)('classifies as %s: %s %s', (severity, status, text) => {
    expect(classifyRefusal({ status, text })).toBe(severity);
  });
});

describe('a refusal that is about the sender', () => {
  it.each([
    // By: its status alone, its words, or neither.
    ['status', '5.7.26', '550-5.7.26 This mail has been blocked because the sender is unauthenticated'],
    ['status', '5.7.1', 'blocked by policy'],
    ['status', '5.7.1', '550 5.7.1 sender address unknown'],
    ['status', '4.7.0', 'rate limited'],
    ['status', '5.3.0', 'other mail system problem'],
    ['status', '5.1.8', 'sender domain does not exist'],
    ['status', '5.0.0', '550 5.7.515 does not meet the required authentication level'],
    ['words', '5.0.0', '554 Your IP is on a blocklist'],
    ['words', null, '550 rejected as spam'],
    ['words', '5.4.5', '550 5.4.5 Daily user sending quota exceeded'],
    ['neither', '5.7.1', '550 5.7.1 recipient unknown'],
    ['neither', '5.1.1', '550 no such user'],
    ['neither', '5.2.2', 'mailbox over quota, blocked'],
    ['neither', '4.4.1', 'connection timed out'],
    ['neither', '5.6.1', 'media not supported'],
  ] as const)('by its %s: %s %s', (by, status, text) => {
    expect(isAboutSender({ status, text })).toBe(by !== 'neither');
    expect(hasSenderStatus({ status, text })).toBe(by === 'status');
  });
});

describe('findStatus', () => {
  it.each([
    ['550 5.1.1 unknown', '5.1.1'],
    ['(#5.1.1)', '5.1.1'],
    ['<x@example.com>: 4.2.2.', '4.2.2'],
    ['host 5.1.1.7 said no', null],
    ['version 15.1.1 and 5.1.1.1', null],
    ['192.5.1.1', null],
    ['2.0.0 ok', null],
    ['', null],
  ])('finds in "%s": %s', (text, status) => {
    expect(findStatus(text)).toBe(status);
  });
});

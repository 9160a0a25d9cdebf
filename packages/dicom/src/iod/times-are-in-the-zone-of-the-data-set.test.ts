import { describe, expect, it } from 'vitest';
import { Dataset } from '../dataset/dataset.js';
import { localDateTime } from './date-time.js';

describe('our own dates and times', () => {
  const now = new Date(Date.UTC(2026, 0, 1, 2, 30, 5));

  it('are in the zone that the images name, across midnight and with half hours', () => {
    const at = (offset: string) => localDateTime(now, new Dataset().set('TimezoneOffsetFromUTC', offset));
    expect(at('-0500')).toEqual({ date: '20251231', time: '213005' });
    expect(at('+0530')).toEqual({ date: '20260101', time: '080005' });
    expect(at('+0000')).toEqual({ date: '20260101', time: '023005' });
  });

  it('are those of the machine where no zone is named', () => {
    const two = (n: number) => String(n).padStart(2, '0');
    expect(localDateTime(now, new Dataset()).time).toBe(
      two(now.getHours()) + two(now.getMinutes()) + two(now.getSeconds()),
    );
  });
});

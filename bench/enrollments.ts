let counter = 0;

/** The body of a webhook about a device that enrolls: each one another device. Device ids are consecutive. */
export function enrollment(serialNumberPrefix: string): string {
  counter += 1;
  return JSON.stringify({
    type: 'device.enrolled',
    at: '2026-01-01T12:00:00.000-07:00',
    data: {
      device: {
        id: counter,
        udid: '99919788-340F-40C3-A3F0-E54421B7A6FD',
        serial_number: `${serialNumberPrefix}${counter}`,
      },
    },
  });
}

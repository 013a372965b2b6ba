import { ok, unprocessable, type ApiResponse } from '../api/response.js';
import { fileParam, textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { Fleet } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';

/** The calls of the reference's section Push Certificate. */
export function pushCertificateRoutes(fleet: Fleet): Route[] {
  const show = () => ok({ data: { type: 'push_certificate', attributes: fleet.pushCertificate } });
  return [
    { method: 'GET', path: '/push_certificate', handle: show },
    { method: 'PUT', path: '/push_certificate', handle: (call) => replace(fleet, call, show) },
    { method: 'GET', path: '/push_certificate/scsr', handle: () => ok({ data: signedCsr() }) },
  ];
}

function replace(fleet: Fleet, call: Call, show: () => ApiResponse): ApiResponse {
  const file = fileParam(call.params, 'file');
  if (file === undefined) return unprocessable('file is required');
  if (!file.content.includes('-----BEGIN CERTIFICATE-----')) {
    return unprocessable('file is not a push certificate');
  }
  const inAYear = new Date(fleet.clock.now());
  inAYear.setUTCFullYear(inAYear.getUTCFullYear() + 1);
  fleet.pushCertificate = {
    apple_id: textParam(call.params, 'apple_id') ?? fleet.pushCertificate.apple_id,
    expires_at: inAYear.toISOString().replace('Z', '+00:00'),
  };
  writeAdminLog(fleet, 'push_certificate.updated', {});
  return show();
}

/** A property list as base64 lines, the format of Apple's portal. */
function signedCsr(): string {
  const plist =
    '<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict><key>PushCertRequestCSR</key><string>simulated</string></dict></plist>';
  return Buffer.from(plist).toString('base64').replace(/.{60}/g, '$&\n');
}

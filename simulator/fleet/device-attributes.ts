/** Every attribute of a device record. */
export interface DeviceAttributes extends ReferenceAttributes, NewerAttributes {
  /** Only on a device that awaits its enrollment. */
  enrollment_url?: string;
  /** In the reference of API 1.51, and in no record that was seen. */
  managed_apple_id?: string | null;
}

/** The attributes of real accounts that the reference lacks. */
export interface NewerAttributes {
  enrolled_at: string | null;
  dep_enrolled: boolean | null;
  dep_assigned: boolean | null;
  ddm_enabled: boolean | null;
  user_enrollment: boolean | null;
  auto_admin_name: string | null;
  supplemental_build_version: string | null;
  supplemental_os_version_extra: string | null;
  lost_mode_enabled: boolean | null;
  time_zone: string | null;
  service_subscriptions: ServiceSubscription[];
}

/** A SIM or eSIM. */
export interface ServiceSubscription {
  slot: string | null;
  carrier_settings_version: string | null;
  current_carrier_network: string | null;
  current_mcc: string | null;
  current_mnc: string | null;
  iccid: string | null;
  imei: string | null;
  phone_number: string | null;
  is_data_preferred: boolean | null;
  is_voice_preferred: boolean | null;
  label: string | null;
  meid: string | null;
  eid: string | null;
}

/** The attributes of the reference, in its order (Devices, List all). */
export interface ReferenceAttributes {
  /** Null until a device that has just enrolled reports it, unless it was given. */
  name: string | null;
  last_seen_at: string | null;
  last_seen_ip: string | null;
  status: string;
  enrollment_channels: string[];
  device_name: string | null;
  os_version: string | null;
  build_version: string | null;
  model_name: string | null;
  model: string | null;
  product_name: string | null;
  unique_identifier: string | null;
  serial_number: string | null;
  processor_architecture: string | null;
  imei: string | null;
  meid: string | null;
  device_capacity: number | null;
  available_device_capacity: number | null;
  battery_level: string | null;
  modem_firmware_version: string | null;
  iccid: string | null;
  bluetooth_mac: string | null;
  ethernet_macs: string[];
  wifi_mac: string | null;
  current_carrier_network: string | null;
  sim_carrier_network: string | null;
  subscriber_carrier_network: string | null;
  carrier_settings_version: string | null;
  phone_number: string | null;
  voice_roaming_enabled: boolean | null;
  data_roaming_enabled: boolean | null;
  is_roaming: boolean | null;
  subscriber_mcc: string | null;
  subscriber_mnc: string | null;
  simmnc: string | null;
  current_mcc: string | null;
  current_mnc: string | null;
  hardware_encryption_caps: number | null;
  passcode_present: boolean | null;
  passcode_compliant: boolean | null;
  passcode_compliant_with_profiles: boolean | null;
  is_supervised: boolean | null;
  is_dep_enrollment: boolean | null;
  is_user_approved_enrollment: boolean | null;
  is_device_locator_service_enabled: boolean | null;
  is_do_not_disturb_in_effect: boolean | null;
  personal_hotspot_enabled: boolean | null;
  itunes_store_account_is_active: boolean | null;
  cellular_technology: number | null;
  last_cloud_backup_date: string | null;
  is_activation_lock_enabled: boolean | null;
  is_cloud_backup_enabled: boolean | null;
  filevault_enabled: boolean | null;
  filevault_recovery_key: string | null;
  firmware_password_enabled: boolean | null;
  recovery_lock_password_enabled: boolean | null;
  remote_desktop_enabled: boolean | null;
  firmware_password: string | null;
  recovery_lock_password: string | null;
  firewall: Firewall;
  system_integrity_protection_enabled: boolean | null;
  os_update: OsUpdate;
  location_latitude: string | null;
  location_longitude: string | null;
  location_accuracy: string | null;
  location_updated_at: string | null;
}

export interface Firewall {
  enabled: boolean | null;
  block_all_incoming: boolean | null;
  stealth_mode: boolean | null;
}

export interface OsUpdate {
  automatic_os_installation_enabled: boolean | null;
  automatic_app_installation_enabled: boolean | null;
  automatic_check_enabled: boolean | null;
  automatic_security_updates_enabled: boolean | null;
  background_download_enabled: boolean | null;
  catalog_url: string | null;
  default_catalog: boolean | null;
  perform_periodic_check: boolean | null;
  previous_scan_date: string | null;
  previous_scan_result: number | null;
}

/** The attributes of a device with nothing but a name (reference: Devices, Create). */
export function blankAttributes(name: string | null): DeviceAttributes {
  return { ...blankReferenceAttributes(name), ...blankNewerAttributes() };
}

/** The attributes of a device that the reference lacks, before the device has reported. */
export function blankNewerAttributes(): NewerAttributes {
  return {
    enrolled_at: null,
    dep_enrolled: false,
    dep_assigned: false,
    ddm_enabled: null,
    user_enrollment: false,
    auto_admin_name: null,
    supplemental_build_version: null,
    supplemental_os_version_extra: null,
    lost_mode_enabled: null,
    time_zone: null,
    service_subscriptions: [],
  };
}

function blankReferenceAttributes(name: string | null): ReferenceAttributes {
  return {
    name,
    last_seen_at: null,
    last_seen_ip: null,
    status: 'awaiting enrollment',
    enrollment_channels: [],
    device_name: null,
    os_version: null,
    build_version: null,
    model_name: 'Unknown',
    model: null,
    product_name: null,
    unique_identifier: null,
    serial_number: null,
    processor_architecture: null,
    imei: null,
    meid: null,
    device_capacity: null,
    available_device_capacity: null,
    battery_level: null,
    modem_firmware_version: null,
    iccid: null,
    bluetooth_mac: null,
    ethernet_macs: [],
    wifi_mac: null,
    current_carrier_network: null,
    sim_carrier_network: null,
    subscriber_carrier_network: null,
    carrier_settings_version: null,
    phone_number: null,
    voice_roaming_enabled: null,
    data_roaming_enabled: null,
    is_roaming: null,
    subscriber_mcc: null,
    subscriber_mnc: null,
    simmnc: null,
    current_mcc: null,
    current_mnc: null,
    hardware_encryption_caps: null,
    passcode_present: null,
    passcode_compliant: null,
    passcode_compliant_with_profiles: null,
    is_supervised: null,
    is_dep_enrollment: null,
    is_user_approved_enrollment: null,
    is_device_locator_service_enabled: null,
    is_do_not_disturb_in_effect: null,
    personal_hotspot_enabled: null,
    itunes_store_account_is_active: null,
    cellular_technology: null,
    last_cloud_backup_date: null,
    is_activation_lock_enabled: null,
    is_cloud_backup_enabled: null,
    filevault_enabled: null,
    filevault_recovery_key: null,
    firmware_password_enabled: null,
    recovery_lock_password_enabled: null,
    remote_desktop_enabled: null,
    firmware_password: null,
    recovery_lock_password: null,
    firewall: { enabled: null, block_all_incoming: null, stealth_mode: null },
    system_integrity_protection_enabled: null,
    os_update: {
      automatic_os_installation_enabled: null,
      automatic_app_installation_enabled: null,
      automatic_check_enabled: null,
      automatic_security_updates_enabled: null,
      background_download_enabled: null,
      catalog_url: null,
      default_catalog: null,
      perform_periodic_check: null,
      previous_scan_date: null,
      previous_scan_result: null,
    },
    location_latitude: null,
    location_longitude: null,
    location_accuracy: null,
    location_updated_at: null,
  };
}

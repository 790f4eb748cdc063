//! What this binary says that it is.

use influxd_model::Clock;

use crate::telemetry::timestamp;

/// The version of InfluxDB whose interfaces this server has: clients decide by it what they may
/// use (influxd-cli 9).
pub(crate) const VERSION: &str = "v2.9.1";

/// The commit that it was built from.
pub(crate) const COMMIT: &str = match option_env!("INFLUXD_BUILD_COMMIT") {
    Some(commit) => commit,
    None => "none",
};

/// When it was built, RFC 3339; a build that does not know says now, as 2.x does.
pub(crate) fn date(clock: &dyn Clock) -> String {
    match option_env!("INFLUXD_BUILD_DATE") {
        Some(date) => date.to_owned(),
        None => timestamp::seconds(clock.now()),
    }
}

/// The answer of `influxd version`.
pub(crate) fn version_line(clock: &dyn Clock) -> String {
    format!(
        "InfluxDB {VERSION} (git: {COMMIT}) build_date: {}",
        date(clock)
    )
}

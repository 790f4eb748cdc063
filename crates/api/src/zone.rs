//! The server's own time zone, in which the times of authorizations are shown
//! (auth-and-resources 1.2).

use std::path::Path;
use std::sync::LazyLock;

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::time::push_rfc3339_offset;

/// What this machine and this process call local time, as it was when it was first asked for.
static LOCAL: LazyLock<Tz> = LazyLock::new(|| {
    let variable = std::env::var("TZ").ok();
    zone(variable.as_deref(), Path::new("/etc/localtime"))
});

/// The text of an instant (nanoseconds since 1970) in the server's zone.
pub(crate) fn local_rfc3339(time: i64) -> String {
    rfc3339_in(*LOCAL, time)
}

fn rfc3339_in(zone: Tz, time: i64) -> String {
    let utc = DateTime::from_timestamp_nanos(time).naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc).fix();
    let mut text = Vec::with_capacity(35);
    push_rfc3339_offset(time, offset.local_minus_utc(), &mut text);
    String::from_utf8(text).expect("digits and punctuation")
}

/// The zone that the environment names, be it by the path of its file, else the one that the
/// machine's `link` leads to. What is no zone is UTC, as is an empty name.
fn zone(variable: Option<&str>, link: &Path) -> Tz {
    let named = |name: &str| name.parse().unwrap_or(Tz::UTC);
    match variable {
        Some(text) => named(name_of(text.strip_prefix(':').unwrap_or(text))),
        None => std::fs::canonicalize(link)
            .map_or(Tz::UTC, |path| named(path.to_str().map_or("", name_of))),
    }
}

/// The name of the zone that a file of the zone database is about.
fn name_of(path: &str) -> &str {
    path.split_once("/zoneinfo/").map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_the_zone() {
        let nowhere = Path::new("/nowhere");
        for (variable, expected) in [
            (Some("America/New_York"), Tz::America__New_York),
            (Some(":Asia/Kolkata"), Tz::Asia__Kolkata),
            (
                Some("/usr/share/zoneinfo/Europe/Berlin"),
                Tz::Europe__Berlin,
            ),
            (Some(""), Tz::UTC),
            (Some("Mars/Olympus"), Tz::UTC),
            (None, Tz::UTC),
        ] {
            assert_eq!(zone(variable, nowhere), expected, "{variable:?}");
        }
    }

    #[test]
    fn without_it_the_machine_does() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("zoneinfo/Europe/Paris");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, b"").unwrap();
        let link = folder.path().join("localtime");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(zone(None, &link), Tz::Europe__Paris);
        assert_eq!(zone(Some("UTC"), &link), Tz::UTC);
    }

    #[test]
    fn summer_time_has_an_offset_of_its_own() {
        let new_york = |time| rfc3339_in(Tz::America__New_York, time);
        assert_eq!(
            new_york(1_577_836_800_500_000_000),
            "2019-12-31T19:00:00.5-05:00"
        );
        assert_eq!(
            new_york(1_593_561_600_000_000_000),
            "2020-06-30T20:00:00-04:00"
        );
        assert_eq!(rfc3339_in(Tz::UTC, 0), "1970-01-01T00:00:00Z");
    }
}

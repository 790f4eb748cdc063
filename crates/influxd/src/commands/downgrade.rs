//! `influxd downgrade`: there is nothing to convert, and it says what is safe (influxd-cli 12).

use anyhow::{Result, bail};

/// The targets that 2.9 knows.
const TARGETS: [&str; 4] = ["2.0", "2.1", "2.3", "2.4"];

/// Always an error: nothing is changed.
pub(super) fn run(targets: &[String]) -> Result<()> {
    let target = match targets {
        [target] => target,
        other => bail!("accepts 1 arg(s), received {}", other.len()),
    };
    if !TARGETS.contains(&target.as_str()) {
        bail!("invalid argument {target:?} for \"influxd downgrade\"");
    }
    bail!(
        "nothing was changed: this store has no format of InfluxDB {target} or of any other release. \
         To be able to go back to tokens in clear, run with --use-hashed-tokens=false from the start, or \
         give --token-escrow-recipient before the migration: then `influxd recovery tokens --identity FILE \
         --write-back` restores them. Digests made without escrow cannot be turned back; make new tokens, or \
         restore a backup of the metadata that was taken before. docs/token-hashing.md has the steps"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_changes_nothing_and_says_so() {
        for (targets, text) in [
            (&[][..], "accepts 1 arg(s), received 0"),
            (
                &["2.2"],
                "invalid argument \"2.2\" for \"influxd downgrade\"",
            ),
            (&["2.4"], "nothing was changed"),
            (&["2.4", "2.3"], "accepts 1 arg(s), received 2"),
        ] {
            let targets: Vec<String> = targets.iter().map(|t| (*t).to_owned()).collect();
            let error = run(&targets).unwrap_err().to_string();
            assert!(error.starts_with(text), "{error}");
        }
    }
}

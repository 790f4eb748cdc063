//! Statements that fail, and with what words.

use super::check;

#[test]
fn faults_are_named() {
    check(&[
        (
            "SELECT u FROM nodb..cpu",
            &["error: database not found: nodb"],
        ),
        (
            "SELECT u FROM norp.cpu",
            &["error: retention policy not found: norp"],
        ),
        (
            "SELECT u & 1 FROM cpu",
            &["error: type error: u::float & 1: incompatible types: float and integer"],
        ),
        (
            "SELECT s + 1 FROM cpu",
            &["error: type error: s::string + 1: incompatible types: string and integer"],
        ),
        (
            "SELECT mean(s) FROM cpu",
            &["error: unsupported mean iterator type: *query.stringInterruptIterator"],
        ),
        (
            "SELECT mean(u), host FROM cpu",
            &["error: mixing aggregate and non-aggregate queries is not supported"],
        ),
        (
            "SELECT u FROM _series",
            &["error: unable to use system source '_series': use SHOW SERIES instead"],
        ),
        (
            "SELECT nosuch(u) FROM cpu",
            &["error: undefined function nosuch()"],
        ),
        (
            "SELECT u FROM cpu WHERE mean(u) > 1",
            &["error: invalid function call in condition: mean(u)"],
        ),
        (
            "SELECT u INTO x FROM cpu",
            &["error: not implemented: SELECT INTO"],
        ),
        (
            "SHOW MEASUREMENTS WHERE time > 0",
            &["error: SHOW MEASUREMENTS doesn't support time in WHERE clause"],
        ),
        (
            "SHOW TAG VALUES WITH KEY = host WHERE u > 5",
            &["error: expression too complex for metaquery: u > 5"],
        ),
        ("SHOW USERS", &["error: not implemented: SHOW USERS"]),
        (
            "CREATE DATABASE x",
            &["error: not implemented: CREATE DATABASE"],
        ),
        (
            "SHOW SERIES EXACT CARDINALITY WHERE time > 0",
            &["error: SHOW SERIES EXACT CARDINALITY doesn't support time in WHERE clause"],
        ),
        (
            "DELETE FROM norp.cpu",
            &[
                "error: no dbrp mappings found: db=ex, rp=norp, please check to make sure db and rp exist",
            ],
        ),
        (
            "DELETE FROM cpu WHERE u > 3",
            &["error: shard 1: fields not supported in WHERE clause during deletion"],
        ),
    ]);
}

//! tmp
use std::io::BufRead;
fn main() {
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let text = line.replace("\\n", "\n").replace("\\u0001", "\\");
        match influxd_influxql::parse_query(&text, None) {
            Err(e) => println!("PARSE\t{e}"),
            Ok(statements) => {
                let mut out = Vec::new();
                for s in &statements {
                    if let influxd_influxql::ast::Statement::Select(s) = s {
                        match influxd_influxql::check::check_select(s, 1_790_000_000_000_000_000) {
                            Ok(_) => out.push("ok".to_string()),
                            Err(e) => out.push(format!("ERR {e}")),
                        }
                    } else {
                        out.push("ok".into());
                    }
                }
                println!("{}", out.join("\t"));
            }
        }
    }
}

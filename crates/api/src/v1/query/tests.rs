//! The layouts, fed by hand.

use tokio::sync::oneshot;

use super::First;
use super::csv::CsvLayout;
use super::json::JsonLayout;
use super::layout::{Epoch, Layout, StatementInfo, Unsupported};
use super::msgpack::MsgpackLayout;
use super::sink::Sink;
use crate::points::{SeriesHead, Value};

fn head(name: &str, tag: &str) -> SeriesHead {
    SeriesHead {
        name: Some(name.as_bytes().to_vec()),
        tags: (!tag.is_empty()).then(|| vec![(b"t".to_vec(), tag.as_bytes().to_vec())]),
        columns: vec!["time".to_owned(), "v".to_owned()],
        zone: None,
    }
}

/// Two statements: a SELECT with two series of two rows and one row, and one that fails.
fn fill(layout: &mut dyn Layout, sink: &mut Sink) {
    layout.begin(StatementInfo {
        id: 0,
        is_cut: true,
    });
    layout.series(head("m", "a"), sink);
    for time in [1, 2] {
        layout
            .row(&[Value::Time(time), Value::Float(0.5)], sink)
            .unwrap();
    }
    layout.series(head("m", "b"), sink);
    layout.row(&[Value::Time(3), Value::Null], sink).unwrap();
    layout.end(sink);
    layout.begin(StatementInfo {
        id: 1,
        is_cut: true,
    });
    layout.fail("no <luck>", sink);
    layout.begin(StatementInfo {
        id: 2,
        is_cut: false,
    });
    layout.silence();
    layout.finish(sink);
}

fn answer(mut layout: impl Layout, feed: impl FnOnce(&mut dyn Layout, &mut Sink)) -> Vec<u8> {
    let (sender, mut receiver) = oneshot::channel();
    let mut sink = Sink::new(sender, false, false);
    feed(&mut layout, &mut sink);
    sink.finish();
    match receiver.try_recv().unwrap() {
        First::Whole(bytes) => bytes.to_vec(),
        other => panic!("a small answer is whole: {other:?}"),
    }
}

fn text(layout: impl Layout, feed: impl FnOnce(&mut dyn Layout, &mut Sink)) -> String {
    String::from_utf8(answer(layout, feed)).unwrap()
}

#[test]
fn json_is_one_document_or_one_per_chunk() {
    assert_eq!(
        text(JsonLayout::new(Some(Epoch::NANOSECONDS), None), fill),
        concat!(
            r#"{"results":[{"statement_id":0,"series":["#,
            r#"{"name":"m","tags":{"t":"a"},"columns":["time","v"],"values":[[1,0.5],[2,0.5]]},"#,
            r#"{"name":"m","tags":{"t":"b"},"columns":["time","v"],"values":[[3,null]]}]},"#,
            r#"{"statement_id":1,"error":"no \u003cluck\u003e"}]}"#,
            "\n",
        )
    );
    assert_eq!(
        text(JsonLayout::new(Some(Epoch::NANOSECONDS), Some(1)), fill),
        concat!(
            r#"{"results":[{"statement_id":0,"series":[{"name":"m","tags":{"t":"a"},"columns":["time","v"],"values":[[1,0.5]],"partial":true}],"partial":true}]}"#,
            "\n",
            r#"{"results":[{"statement_id":0,"series":[{"name":"m","tags":{"t":"a"},"columns":["time","v"],"values":[[2,0.5]]}],"partial":true}]}"#,
            "\n",
            r#"{"results":[{"statement_id":0,"series":[{"name":"m","tags":{"t":"b"},"columns":["time","v"],"values":[[3,null]]}]}]}"#,
            "\n",
            r#"{"results":[{"statement_id":1,"error":"no \u003cluck\u003e"}]}"#,
            "\n",
        )
    );
}

#[test]
fn an_answer_without_results_is_an_empty_document() {
    let silent = |layout: &mut dyn Layout, sink: &mut Sink| {
        layout.begin(StatementInfo {
            id: 0,
            is_cut: false,
        });
        layout.silence();
        layout.finish(sink);
    };
    assert_eq!(text(JsonLayout::new(None, None), silent), "{}\n");
    assert_eq!(text(CsvLayout::new(None), silent), "");
    assert_eq!(
        answer(MsgpackLayout::new(None, None), silent),
        b"\x81\xa7results\xdd\0\0\0\0"
    );
}

#[test]
fn an_error_takes_the_place_of_rows_that_were_not_sent() {
    let failing = |layout: &mut dyn Layout, sink: &mut Sink| {
        layout.begin(StatementInfo {
            id: 0,
            is_cut: true,
        });
        layout.series(head("m", ""), sink);
        layout
            .row(&[Value::Time(1), Value::Integer(1)], sink)
            .unwrap();
        layout.fail("x", sink);
        layout.finish(sink);
    };
    let expected = "{\"results\":[{\"statement_id\":0,\"error\":\"x\"}]}\n";
    assert_eq!(text(JsonLayout::new(None, None), failing), expected);
    let msgpack = answer(MsgpackLayout::new(None, None), failing);
    assert_eq!(msgpack, b"\x81\xa7results\xdd\0\0\0\x01\x81\xa5error\xa1x");
}

#[test]
fn infinity_has_no_form_in_json_and_leaves_no_half_row() {
    let (sender, _receiver) = oneshot::channel();
    let mut sink = Sink::new(sender, false, false);
    let mut layout = JsonLayout::new(None, None);
    layout.begin(StatementInfo {
        id: 0,
        is_cut: true,
    });
    layout.series(head("m", ""), &mut sink);
    let before = sink.bytes.len();
    let row = [Value::Time(1), Value::Float(f64::NEG_INFINITY)];
    assert_eq!(
        layout.row(&row, &mut sink),
        Err(Unsupported::NegativeInfinity)
    );
    assert_eq!(sink.bytes.len(), before);
    assert_eq!(
        layout.row(&[Value::Time(1), Value::Float(f64::NAN)], &mut sink),
        Ok(())
    );
}

#[test]
fn csv_has_a_header_where_columns_change() {
    let feed = |layout: &mut dyn Layout, sink: &mut Sink| {
        fill(layout, sink);
        layout.begin(StatementInfo {
            id: 3,
            is_cut: true,
        });
        layout.series(head("n", ""), sink);
        layout.end(sink);
    };
    assert_eq!(
        text(CsvLayout::new(None), feed),
        "name,tags,time,v\nm,t=a,1,0.5\nm,t=a,2,0.5\nm,t=b,3,\n\nerror\nno <luck>\n\nname,tags,time,v\n"
    );
}

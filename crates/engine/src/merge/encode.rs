//! A chunk out of the rows of others: one column in memory at a time.

use std::sync::Arc;

use influxd_model::FieldType;
use influxd_store::NewChunk;

use super::build::{Built, Data, Inputs};
use super::run::Run;
use crate::catalogue::{ChunkName, Window};
use crate::chunk::{ChunkWriter, Column, PagePlan, Sizes, Values};
use crate::content::{Form, Loader, Page, PageWant};
use crate::source::ReadError;

/// A chunk's string column has no more bytes than this, unless one row alone has.
const STRING_BYTES: usize = 256 << 20;

/// What became of rows that should be one chunk.
pub(super) enum Encoded {
    /// The chunk.
    Chunk(Box<NewChunk>),
    /// Its strings are too long: it should have about so many rows.
    TooLarge(usize),
}

/// The pages that a chunk takes its rows from: (input, page), each once.
type Used = Vec<(u32, u32)>;

/// Encodes a chunk.
pub(super) fn encode(
    run: &Run,
    inputs: &Inputs<'_>,
    built: &Built<'_>,
    window: Window,
    sizes: Sizes,
    loader: &Loader,
) -> Result<Encoded, ReadError> {
    let mut used: Used = built
        .parts
        .iter()
        .map(|part| (part.chunk, part.page))
        .collect();
    used.sort_unstable();
    used.dedup();
    let fields: Vec<(&[u8], FieldType)> =
        inputs
            .view
            .state
            .fields
            .get(&window.start)
            .map_or_else(Vec::new, |fields| {
                fields
                    .iter()
                    .map(|(name, info)| (&**name, info.field_type))
                    .collect()
            });

    // Pages end before their strings grow too long, so the strings are looked at first.
    let rows = built.series.iter().map(|(_, rows)| *rows);
    let mut plan = PagePlan::new(rows, sizes);
    for (name, field_type) in &fields {
        if *field_type != FieldType::String {
            continue;
        }
        if let Some(column) = gather(inputs, built, &used, window, name, *field_type, loader)?
            && let Values::String(strings) = &column.values
        {
            if strings.byte_len() > STRING_BYTES && built.times.len() > 1 {
                let share = STRING_BYTES as f64 / strings.byte_len() as f64;
                let rows = (built.times.len() as f64 * share * 0.8) as usize;
                return Ok(Encoded::TooLarge(rows.clamp(1, built.times.len() - 1)));
            }
            plan.limit_text(strings);
        }
    }

    let index = &inputs.view.index;
    let series: Vec<(&[u8], usize)> = built
        .series
        .iter()
        .map(|(id, rows)| (&*index.series(*id).key, *rows))
        .collect();
    let (mut writer, mut pieces) = ChunkWriter::new(&series, &built.times, plan)?;
    for (name, field_type) in &fields {
        if let Some(column) = gather(inputs, built, &used, window, name, *field_type, loader)? {
            pieces.extend(writer.column(name, &column));
        }
    }
    let range = built.range().expect("a chunk has a row or a refused point");
    let head = writer.finish();
    Ok(Encoded::Chunk(Box::new(NewChunk {
        oldest: run.oldest(),
        newest: run.newest(),
        level: run.level,
        bucket: run.bucket,
        measurement: run.measurement.to_vec(),
        window_start: window.start,
        min_time: range.min,
        max_time: range.max,
        row_count: built.times.len() as i64,
        head,
        pieces,
    })))
}

/// A column of the chunk to be; `None` if no row has a value that counts.
fn gather(
    inputs: &Inputs<'_>,
    built: &Built<'_>,
    used: &Used,
    window: Window,
    name: &[u8],
    field_type: FieldType,
    loader: &Loader,
) -> Result<Option<Column>, ReadError> {
    let Some(info) = inputs.view.state.field(window.start, name) else {
        return Ok(None);
    };
    // The number of the column in each input where it counts.
    let numbers: Vec<Option<usize>> = inputs
        .inputs
        .iter()
        .map(|input| {
            let counts = input.chunk.info.newest >= info.version;
            input
                .chunk
                .content
                .column(name, field_type)
                .filter(|_| counts)
        })
        .collect();
    let mut wanted = Vec::new();
    let mut places = Vec::new();
    for (input, page) in used {
        let of = &inputs.inputs[*input as usize];
        if let (Some(number), ChunkName::Merged(id), Form::Paged(head)) = (
            numbers[*input as usize],
            of.chunk.info.name,
            of.chunk.content.form(),
        ) && head.present_count(number, *page as usize) > 0
        {
            let head = Arc::clone(head);
            wanted.push(PageWant {
                chunk: id,
                head,
                column: number as u32,
                page: *page,
            });
            places.push((*input, *page));
        }
    }
    let pages = loader.pages(&wanted)?;
    // `places` is sorted, as `used` is.
    let column = built
        .plan
        .column(&built.parts, field_type, built.times.len(), |part| {
            let input = part.chunk as usize;
            match &inputs.inputs[input].data {
                Data::Fresh(fresh) => Some(&fresh.columns[numbers[input]?].column),
                Data::Paged(_) => {
                    match &pages[places.binary_search(&(part.chunk, part.page)).ok()?] {
                        Page::Values(values) => Some(&**values),
                        Page::Times(_) => None,
                    }
                }
            }
        });
    Ok(column)
}

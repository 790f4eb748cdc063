//! Pages of numbers through pco: what level 1 and above use.

use std::ops::Range;

use pco::data_types::Number;
use pco::wrapped::{ChunkDecompressor, FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DecompressorScratch, DeltaSpec, ModeSpec, PagingSpec};

use super::ChunkError;

const LEVEL: usize = 8;

/// The delta orders worth a try.
const ORDERS: Range<u8> = 0..3;

/// How many values, in how many stretches, decide on the delta order.
const SAMPLE: usize = 2048;
const STRETCHES: usize = 8;

/// The pages of a segment, and the header that they share.
#[derive(Debug, Default)]
pub(super) struct Packed {
    pub(super) header: Vec<u8>,
    /// A page without values is not among them.
    pub(super) pages: Vec<Vec<u8>>,
}

/// How numbers are to be taken apart.
fn config(mode: &ModeSpec, order: u8, pages: Vec<usize>) -> ChunkConfig {
    ChunkConfig::default()
        .with_compression_level(LEVEL)
        .with_mode_spec(mode.clone())
        .with_delta_spec(DeltaSpec::TryConsecutive(usize::from(order)))
        .with_paging_spec(PagingSpec::Exact(pages))
}

/// Compresses values that make up pages of the given lengths, none of them 0. The lengths add up
/// to the number of values, which is below 2^24.
pub(super) fn compress<T: Number>(
    values: &[T],
    pages: &[usize],
    mode: &ModeSpec,
    order: u8,
) -> Packed {
    const FINE: &str = "pco takes values below 2^24 in pages that are not empty";
    if values.is_empty() {
        return Packed::default();
    }
    let file = FileCompressor::default();
    let header = file
        .write_header(Vec::new())
        .expect("writing to memory does not fail");
    let config = config(mode, order, pages.to_vec());
    let mut chunk = file.chunk_compressor(values, &config).expect(FINE);
    let header = chunk.write_meta(header).expect(FINE);
    let pages = (0..pages.len()).map(|page| chunk.write_page(page, Vec::new()).expect(FINE));
    Packed {
        pages: pages.collect(),
        header,
    }
}

/// The delta order that suits a column best, judged by stretches at the beginnings of pages.
pub(super) fn delta_order<T: Number>(values: &[T], pages: &[usize], mode: &ModeSpec) -> u8 {
    let mut starts = Vec::with_capacity(pages.len());
    let mut end = 0;
    for &length in pages {
        starts.push(end);
        end += length;
    }
    let mut sample = Vec::with_capacity(SAMPLE);
    let mut stretches = Vec::new();
    let step = pages.len().div_ceil(STRETCHES).max(1);
    let longest = SAMPLE / pages.len().clamp(1, STRETCHES);
    for (&start, &length) in starts.iter().zip(pages).step_by(step) {
        let length = length.min(longest);
        sample.extend_from_slice(&values[start..start + length]);
        stretches.push(length);
    }
    if sample.len() < 2 {
        return 0;
    }
    let cost = |order: u8| {
        let packed = compress(&sample, &stretches, mode, order);
        let bytes: usize = packed.pages.iter().map(Vec::len).sum();
        // Each page begins with values as they are; the sample has more beginnings than its share.
        let beginning = usize::from(order) * size_of::<T>();
        let body = bytes.saturating_sub(beginning * stretches.len());
        body * values.len() / sample.len() + beginning * pages.len() + packed.header.len()
    };
    ORDERS.min_by_key(|&order| cost(order)).unwrap_or(0)
}

/// Reads the header that the pages of a segment share.
pub(super) fn open<T: Number>(header: &[u8]) -> Result<ChunkDecompressor<T>, ChunkError> {
    let chunk = FileDecompressor::new(header)
        .and_then(|(file, header)| file.chunk_decompressor(header))
        .map_err(|_| ChunkError::Corrupt("pco cannot read the header of a segment"))?;
    match chunk {
        (chunk, []) => Ok(chunk),
        _ => Err(ChunkError::Corrupt(
            "something follows the header of a segment",
        )),
    }
}

/// Fills `values` from a page that lies at `place` in `bytes`.
pub(super) fn read_page<T: Number>(
    chunk: &ChunkDecompressor<T>,
    bytes: &[u8],
    place: Range<usize>,
    scratch: &mut DecompressorScratch,
    values: &mut [T],
) -> Result<(), ChunkError> {
    const GARBLED: ChunkError = ChunkError::Corrupt("pco cannot read a page");
    if values.is_empty() {
        return Ok(());
    }
    // Not only the page's own bytes: pco reads ahead, and would copy the page to do so.
    let following = bytes.len().checked_sub(place.end).ok_or(GARBLED)?;
    let mut page = chunk
        .page_decompressor_with_scratch(&bytes[place.start..], values.len(), scratch)
        .map_err(|_| GARBLED)?;
    let progress = page.read(values).map_err(|_| GARBLED)?;
    if progress.finished && page.into_src().len() == following {
        Ok(())
    } else {
        Err(GARBLED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::samples::Dice;

    #[test]
    fn the_delta_order_follows_the_data() {
        let mut dice = Dice(1);
        let noise: Vec<i64> = (0..9000).map(|_| dice.below(1000) as i64).collect();
        let mut sum = 0;
        let mut sums = |from: &[i64]| -> Vec<i64> {
            sum = 0;
            from.iter().map(|step| (sum += step - 500, sum).1).collect()
        };
        let walk = sums(&noise);
        let smooth = sums(&walk);
        for (order, values) in (0..).zip([noise, walk, smooth]) {
            for pages in [vec![9000], vec![3000; 3], vec![100; 90]] {
                assert_eq!(delta_order(&values, &pages, &ModeSpec::Classic), order);
            }
        }
        assert_eq!(delta_order::<u64>(&[], &[], &ModeSpec::Classic), 0);
        assert_eq!(delta_order(&[7_u64], &[1], &ModeSpec::Classic), 0);
    }
}

//! Where in the chunks some series are.

use hashbrown::HashMap;

use crate::content::ChunkContent;
use crate::index::SeriesId;

/// A series that was asked for and is in a chunk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Its place among those asked for.
    pub(crate) request: u32,
    /// The chunk's place.
    pub(crate) chunk: u32,
    /// Its number in the chunk.
    pub(crate) number: u32,
}

/// Finds series, each asked for once, in chunks: in the order in which they were asked for, and
/// of one in the order of the chunks. `known` is how many series the index has.
pub(crate) fn find<'c>(
    chunks: impl Iterator<Item = &'c ChunkContent>,
    known: usize,
    series: &[SeriesId],
) -> Vec<Hit> {
    let mut found = Vec::new();
    let mut places = None;
    // Where the hits of each series begin, one place further on.
    let mut starts = vec![0_u32; series.len() + 1];
    for (chunk, content) in chunks.enumerate() {
        let chunk = chunk as u32;
        let mut hit = |request: u32, number: u32| {
            starts[request as usize + 1] += 1;
            found.push(Hit {
                request,
                chunk,
                number,
            });
        };
        if series.len() * 4 < content.series().len() || series.len() == 1 {
            for (request, id) in (0..).zip(series) {
                if let Some(number) = content.number_of(*id) {
                    hit(request, number as u32);
                }
            }
        } else {
            let places = places.get_or_insert_with(|| Places::of(series, known));
            for (number, id) in (0..).zip(content.series()) {
                if let Some(request) = places.get(*id) {
                    hit(request, number);
                }
            }
        }
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    let mut hits = vec![Hit::default(); found.len()];
    for hit in found {
        let next = &mut starts[hit.request as usize];
        hits[*next as usize] = hit;
        *next += 1;
    }
    hits
}

/// The places of the series asked for.
enum Places {
    /// By id; `u32::MAX` for those not asked for.
    Dense(Vec<u32>),
    Sparse(HashMap<u32, u32, foldhash::fast::RandomState>),
}

impl Places {
    fn of(series: &[SeriesId], known: usize) -> Self {
        let pairs = series.iter().map(|id| id.0).zip(0..);
        if series.len() * 16 < known {
            return Self::Sparse(pairs.collect());
        }
        let mut places = vec![u32::MAX; known];
        for (id, place) in pairs {
            if let Some(slot) = places.get_mut(id as usize) {
                *slot = place;
            }
        }
        Self::Dense(places)
    }

    #[inline]
    fn get(&self, id: u32) -> Option<u32> {
        match self {
            Self::Dense(places) => places
                .get(id as usize)
                .copied()
                .filter(|at| *at != u32::MAX),
            Self::Sparse(places) => places.get(&id).copied(),
        }
    }
}

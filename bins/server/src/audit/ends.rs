//! What every checkpoint tells of streams, looked up as records come.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::mem;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use strongroom_domain::audit::ChainState;
use strongroom_domain::id::StreamId;

/// How many are in memory at most: 24 MiB of them.
const IN_MEMORY: usize = 1 << 20;
/// How many of a block are read at once.
const PART: u64 = 256;
/// How many bytes one has in the file.
const LEN: usize = 24;

/// As far as it is needed to see a difference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    sequence: u64,
    /// The first half of a hash: as hard to meet by another as a signature is to forge.
    head: [u8; 16],
}

impl Told {
    fn of(sequence: u64, hash: &[u8]) -> Self {
        let mut head = [0; 16];
        head.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
        Self { sequence, head }
    }

    fn to_bytes(self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[..8].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[8..].copy_from_slice(&self.head);
        bytes
    }

    fn from_bytes(bytes: &[u8; LEN]) -> Self {
        let mut sequence = [0; 8];
        sequence.copy_from_slice(&bytes[..8]);
        Self::of(u64::from_be_bytes(sequence), &bytes[8..])
    }
}

/// Some of a stream, in order, in the file.
#[derive(Clone, Copy)]
struct Block {
    first: Told,
    last: Told,
    rest: Rest,
}

/// Those of a block from a place on.
#[derive(Clone, Copy)]
struct Rest {
    offset: u64,
    count: u64,
}

impl Rest {
    fn skip(&mut self, count: u64) {
        self.offset += count * LEN as u64;
        self.count -= count;
    }

    fn read(&self, file: &File, count: u64) -> io::Result<Vec<Told>> {
        let mut bytes = vec![0; usize::try_from(count).map_err(io::Error::other)? * LEN];
        file.read_exact_at(&mut bytes, self.offset)?;
        Ok(bytes.as_chunks().0.iter().map(Told::from_bytes).collect())
    }

    /// Leaves out those of records before this one.
    fn seek(&mut self, file: &File, sequence: u64) -> io::Result<()> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            let mut from = *self;
            from.skip(middle);
            if from.read(file, 1)?.iter().all(|told| told.sequence < sequence) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.skip(low);
        Ok(())
    }
}

/// What is told of a stream.
#[derive(Default)]
struct Stream {
    blocks: Vec<Block>,
    /// What is in no block yet.
    newest: Arc<Vec<Told>>,
}

/// Where the next ones of a stream come from.
enum Source {
    Memory { told: Arc<Vec<Told>>, at: usize },
    File { part: std::vec::IntoIter<Told>, rest: Rest },
}

impl Source {
    fn next(&mut self, file: Option<&File>) -> io::Result<Option<Told>> {
        match self {
            Self::Memory { told, at } => {
                *at += 1;
                Ok(told.get(*at - 1).copied())
            }
            Self::File { part, rest } => {
                if let (0, Some(file)) = (part.len(), file) {
                    let count = rest.count.min(PART);
                    *part = rest.read(file, count)?.into_iter();
                    rest.skip(count);
                }
                Ok(part.next())
            }
        }
    }
}

/// How far the records of a stream have come.
struct Place {
    stream: StreamId,
    through: u64,
    /// The next one of each source, the lowest first.
    next: BinaryHeap<Reverse<(Told, usize)>>,
    sources: Vec<Source>,
}

/// A log of years has a checkpoint for each second of activity, each of which tells of streams: beyond a number of them they are in a
/// temporary file, which has no name and goes with the process.
pub(super) struct Ends {
    streams: HashMap<StreamId, Stream>,
    in_memory: usize,
    at_most: usize,
    file: Option<File>,
    len: u64,
    place: Option<Place>,
}

impl Default for Ends {
    fn default() -> Self {
        Self { streams: HashMap::new(), in_memory: 0, at_most: IN_MEMORY, file: None, len: 0, place: None }
    }
}

impl Ends {
    /// # Errors
    /// When the temporary file cannot be written.
    pub(super) fn tell(&mut self, end: &ChainState) -> io::Result<()> {
        self.place = None;
        let stream = self.streams.entry(end.stream).or_default();
        Arc::make_mut(&mut stream.newest).push(Told::of(end.sequence, &end.hash));
        self.in_memory += 1;
        if self.in_memory < self.at_most { Ok(()) } else { self.spill() }
    }

    /// Puts what is in memory into the file.
    fn spill(&mut self) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        let mut to = BufWriter::new(file);
        for stream in self.streams.values_mut() {
            let mut newest = Arc::unwrap_or_clone(mem::take(&mut stream.newest));
            newest.sort_unstable();
            let (Some(first), Some(last)) = (newest.first().copied(), newest.last().copied()) else { continue };
            for told in &newest {
                to.write_all(&told.to_bytes())?;
            }
            let rest = Rest { offset: self.len, count: newest.len() as u64 };
            stream.blocks.push(Block { first, last, rest });
            self.len += (newest.len() * LEN) as u64;
        }
        self.in_memory = 0;
        to.flush()
    }

    /// Whether a checkpoint tells of another record there. Quick where the records of a stream are asked for in order.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    pub(super) fn differ(&mut self, stream: StreamId, sequence: u64, hash: &[u8]) -> io::Result<bool> {
        let here = Told::of(sequence, hash);
        let known = self.place.take().filter(|place| place.stream == stream && place.through < sequence);
        let mut place = match known {
            Some(known) => known,
            None => self.begin(stream, sequence)?,
        };
        place.through = sequence;
        let mut differs = false;
        while let Some(mut lowest) = place.next.peek_mut() {
            let Reverse((told, source)) = *lowest;
            if told.sequence > sequence {
                break;
            }
            differs |= told.sequence == sequence && told != here;
            match place.sources[source].next(self.file.as_ref())? {
                Some(next) => *lowest = Reverse((next, source)),
                None => drop(std::collections::binary_heap::PeekMut::pop(lowest)),
            }
        }
        self.place = Some(place);
        Ok(differs)
    }

    /// Before this record.
    fn begin(&mut self, stream: StreamId, sequence: u64) -> io::Result<Place> {
        let mut place = Place { stream, through: sequence, next: BinaryHeap::new(), sources: Vec::new() };
        let Some(told) = self.streams.get_mut(&stream) else { return Ok(place) };
        Arc::make_mut(&mut told.newest).sort_unstable();
        let at = told.newest.partition_point(|told| told.sequence < sequence);
        let mut begin = |mut source: Source, first: Option<Told>| {
            let next = first.map_or_else(|| source.next(self.file.as_ref()), |first| Ok(Some(first)))?;
            place.next.extend(next.map(|next| Reverse((next, place.sources.len()))));
            place.sources.push(source);
            Ok::<(), io::Error>(())
        };
        begin(Source::Memory { told: Arc::clone(&told.newest), at }, None)?;
        for Block { first, last, mut rest } in told.blocks.iter().copied() {
            if last.sequence < sequence {
                continue;
            }
            // Only the one that the record is within has to be looked at.
            let is_ahead = first.sequence >= sequence;
            if is_ahead {
                rest.skip(1);
            } else if let Some(file) = &self.file {
                rest.seek(file, sequence)?;
            }
            begin(Source::File { part: Vec::new().into_iter(), rest }, is_ahead.then_some(first))?;
        }
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::Ends;
    use strongroom_domain::audit::ChainState;
    use strongroom_domain::id::StreamId;
    use uuid::Uuid;

    fn end(stream: u128, sequence: u64, byte: u8) -> ChainState {
        ChainState { stream: StreamId::new(Uuid::from_u128(stream)), sequence, hash: [byte; 32] }
    }

    fn differ(ends: &mut Ends, it: &ChainState) -> bool {
        ends.differ(it.stream, it.sequence, &it.hash).expect("readable")
    }

    fn tell(ends: &mut Ends, end: &ChainState) {
        ends.tell(end).expect("kept");
    }

    fn of_at_most(at_most: usize) -> Ends {
        Ends { at_most, ..Ends::default() }
    }

    #[test]
    fn a_record_differs_from_what_is_told_of_its_place_only() {
        for at_most in [1, 2, 3, 100] {
            let mut ends = of_at_most(at_most);
            // In no order, and twice.
            for told in [end(1, 9, 9), end(2, 4, 4), end(1, 3, 3), end(1, 9, 9)] {
                tell(&mut ends, &told);
            }
            for same in [end(1, 9, 9), end(1, 3, 3), end(2, 4, 4)] {
                assert!(!differ(&mut ends, &same));
                assert!(differ(&mut ends, &ChainState { hash: [77; 32], ..same }));
                assert!(!differ(&mut ends, &ChainState { sequence: same.sequence + 1, hash: [77; 32], ..same }));
            }
            assert!(!differ(&mut ends, &end(3, 9, 1)));
            // One record can't be what both tell of.
            tell(&mut ends, &end(1, 3, 8));
            assert!([3, 8].iter().all(|byte| differ(&mut ends, &end(1, 3, *byte))));
            assert!(!differ(&mut ends, &end(1, 9, 9)));
            assert!(ends.differ(StreamId::new(Uuid::from_u128(1)), 9, &[]).expect("readable"));
        }
    }

    /// Whatever is told and asked for in whatever order, wherever it is kept.
    #[test]
    fn where_it_is_kept_is_no_matter() {
        for at_most in [1, 2, 7, 300, 5_000] {
            let (mut ends, mut told) = (of_at_most(at_most), Vec::new());
            let mut seed = at_most as u64;
            let mut random = |below: u64| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 33) % below
            };
            for _ in 0..20 {
                for _ in 0..random(150) {
                    let byte = u8::try_from(random(2)).expect("below");
                    let next = end(u128::from(random(3)), 1 + random(400), byte);
                    tell(&mut ends, &next);
                    told.push(next);
                }
                let (stream, mut sequence) = (u128::from(random(3)), 0);
                for _ in 0..100 {
                    sequence = if random(20) == 0 { random(400) } else { sequence + random(4) };
                    let asked = end(stream, sequence, 1);
                    let of_it = |it: &&ChainState| it.stream == asked.stream && it.sequence == asked.sequence;
                    let wanted = told.iter().filter(of_it).any(|it| it.hash != asked.hash);
                    assert_eq!(differ(&mut ends, &asked), wanted, "{at_most}: {stream} {sequence}");
                }
            }
        }
    }

    /// Looking at all ends for each record, this would take hours.
    #[test]
    fn as_many_records_as_checkpoints_are_no_matter() {
        const COUNT: u64 = 200_000;
        const STREAMS: u128 = 3;
        let of = |stream: u128, sequence: u64| end(stream, sequence, u8::try_from(sequence % 251).expect("below"));
        for at_most in [1_000, 1_000_000] {
            let mut ends = of_at_most(at_most);
            for told in (1..=COUNT).map(|sequence| of(u128::from(sequence) % STREAMS, sequence)) {
                tell(&mut ends, &told);
                assert!(ends.in_memory < at_most);
            }
            let in_memory: usize = ends.streams.values().map(|stream| stream.newest.len()).sum();
            assert_eq!((in_memory, ends.file.is_some()), (ends.in_memory, at_most == 1_000));
            for stream in 0..STREAMS {
                assert!((1..=COUNT).all(|sequence| !differ(&mut ends, &of(stream, sequence))));
                let shifted = (1..=COUNT)
                    .filter(|at| differ(&mut ends, &ChainState { hash: of(stream, at + 1).hash, ..of(stream, *at) }));
                let told = (1..=COUNT).filter(|sequence| u128::from(*sequence) % STREAMS == stream).count();
                assert_eq!(shifted.count(), told);
            }
        }
    }
}

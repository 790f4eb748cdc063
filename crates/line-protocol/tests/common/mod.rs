//! A sink that remembers everything, with and without guesses.

use influxd_line_protocol::{
    FieldValue, LineError, Precision, SeriesKey, Sink, parse, unescape_field_name,
};

/// A value that owns its bytes; floats as bits, so that `-0` is not `0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Float(u64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
    String(Vec<u8>),
}

impl From<FieldValue<'_>> for Value {
    fn from(value: FieldValue<'_>) -> Self {
        match value {
            FieldValue::Float(value) => Self::Float(value.to_bits()),
            FieldValue::Integer(value) => Self::Integer(value),
            FieldValue::Unsigned(value) => Self::Unsigned(value),
            FieldValue::Boolean(value) => Self::Boolean(value),
            FieldValue::String(value) => Self::String(value.into_owned()),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) key: SeriesKey,
    /// Names without escapes, in the order of the line.
    pub(crate) fields: Vec<(Vec<u8>, Value)>,
    pub(crate) time: Option<i64>,
}

/// What a body says: its points, or the text of its errors.
pub(crate) type Outcome = Result<Vec<Point>, String>;

/// Which key and which names a [`Recorder`] guesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guess {
    Nothing,
    /// What the line before had.
    Repetition,
    /// What followed last time, as the engine does; else the key of the line before.
    Sequence,
}

struct Recorder {
    guess: Guess,
    points: Vec<Point>,
    open: Option<Point>,
    /// Raw keys and raw names of the lines so far.
    lines: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    expected: usize,
}

impl Recorder {
    fn open(&mut self, raw_key: Vec<u8>, key: SeriesKey) {
        assert!(self.open.is_none(), "a point began inside another");
        let fields = Vec::new();
        self.open = Some(Point {
            key,
            fields,
            time: None,
        });
        self.lines.push((raw_key, Vec::new()));
    }

    fn push(&mut self, position: usize, raw_name: Vec<u8>, value: FieldValue<'_>) {
        let point = self.open.as_mut().expect("a field needs a point");
        assert_eq!(position, point.fields.len());
        point
            .fields
            .push((unescape_field_name(&raw_name).into_owned(), value.into()));
        self.lines
            .last_mut()
            .expect("a line is open")
            .1
            .push(raw_name);
    }

    /// The line that is expected to be like the next one.
    fn model(&self) -> Option<&(Vec<u8>, Vec<Vec<u8>>)> {
        self.lines.get(self.expected)
    }
}

impl Sink for Recorder {
    fn expected_key(&self) -> &[u8] {
        self.model().map_or(&[], |(key, _)| key)
    }

    fn begin_expected(&mut self) {
        let raw_key = self.expected_key().to_vec();
        let key = SeriesKey::parse(&raw_key).expect("it was a key before");
        self.open(raw_key, key);
    }

    fn begin(&mut self, raw_key: &[u8]) -> Result<(), LineError> {
        assert_ne!(raw_key, self.expected_key(), "a right guess was not seen");
        let key = SeriesKey::parse(raw_key)?;
        self.open(raw_key.to_vec(), key);
        Ok(())
    }

    fn expected_field(&self, position: usize) -> &[u8] {
        self.model()
            .and_then(|(_, names)| names.get(position))
            .map_or(&[], Vec::as_slice)
    }

    fn field_expected(&mut self, position: usize, value: FieldValue<'_>) {
        let raw_name = self.expected_field(position).to_vec();
        assert!(!raw_name.is_empty());
        self.push(position, raw_name, value);
    }

    fn field(&mut self, position: usize, raw_name: &[u8], value: FieldValue<'_>) {
        self.push(position, raw_name.to_vec(), value);
    }

    fn end(&mut self, timestamp: Option<i64>) {
        let mut point = self.open.take().expect("a point ends after it began");
        point.time = timestamp;
        self.points.push(point);
        let last = self.lines.len() - 1;
        self.expected = match self.guess {
            Guess::Nothing => usize::MAX,
            Guess::Repetition => last,
            Guess::Sequence => {
                let same_key = |other: &usize| self.lines[*other].0 == self.lines[last].0;
                (0..last)
                    .rev()
                    .find(same_key)
                    .map_or(last, |before| before + 1)
            }
        };
    }
}

/// What the parser makes of a body, guessing like this.
pub(crate) fn read_guessing(body: &[u8], precision: Precision, guess: Guess) -> Outcome {
    let (points, lines) = (Vec::new(), Vec::new());
    let mut recorder = Recorder {
        guess,
        points,
        open: None,
        lines,
        expected: usize::MAX,
    };
    match parse(body, precision, &mut recorder) {
        Ok(points) => {
            assert_eq!(points, recorder.points.len());
            assert!(recorder.open.is_none(), "the last point did not end");
            Ok(recorder.points)
        }
        Err(errors) => Err(errors.to_string()),
    }
}

/// What the parser makes of a body, which does not depend on what a sink guesses.
pub(crate) fn read(body: &[u8], precision: Precision) -> Outcome {
    let outcome = read_guessing(body, precision, Guess::Nothing);
    for guess in [Guess::Repetition, Guess::Sequence] {
        assert_eq!(read_guessing(body, precision, guess), outcome, "{guess:?}");
    }
    outcome
}

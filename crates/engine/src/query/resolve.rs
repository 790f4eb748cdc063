//! The names of the fields that a scan has to read.

/// Field names, each once, in the order in which they were asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<String>);

impl Fields {
    /// The place of a name, which is added if it is new.
    pub(super) fn add(&mut self, name: &str) -> usize {
        if let Some(at) = self.0.iter().position(|known| known == name) {
            return at;
        }
        self.0.push(name.to_owned());
        self.0.len() - 1
    }

    /// All of them.
    pub(super) fn names(&self) -> &[String] {
        &self.0
    }
}

//! As much Markdown as the documents use: fenced blocks, tables, links.

use std::path::{Path, PathBuf};

/// A document of the repository.
pub struct Document {
    /// Its path in the repository.
    pub path: &'static str,
    pub text: String,
}

/// A fenced block.
#[derive(Debug, PartialEq)]
pub struct Block {
    /// What stands after the fence.
    pub language: String,
    /// The line of the fence, from 1.
    pub line: usize,
    pub text: String,
}

/// The repository's folder.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

impl Document {
    pub fn read(path: &'static str) -> Document {
        let text = std::fs::read_to_string(repository().join(path)).unwrap();
        Document { path, text }
    }

    /// The fenced blocks, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (number, line) in self.text.lines().enumerate() {
            let fence = line.strip_prefix("```");
            open = match (open, fence) {
                (None, None) => None,
                (None, Some(language)) => {
                    let (language, text) = (language.trim().to_owned(), String::new());
                    Some(Block { language, line: number + 1, text })
                }
                (Some(block), Some(_)) => {
                    blocks.push(block);
                    None
                }
                (Some(mut block), None) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                    Some(block)
                }
            };
        }
        assert_eq!(open, None, "{}: a block without an end", self.path);
        blocks
    }

    /// The text without its fenced blocks.
    pub fn prose(&self) -> String {
        let mut inside = false;
        let mut prose = String::new();
        for line in self.text.lines() {
            match line.starts_with("```") {
                true => inside = !inside,
                false if !inside => prose.extend([line, "\n"]),
                false => {}
            }
        }
        prose
    }

    /// The rows of the table whose first heading is `heading`, as cells.
    pub fn table(&self, heading: &str) -> Vec<Vec<String>> {
        let prose = self.prose();
        let head = format!("| {heading} |");
        let rows = prose.lines().skip_while(|line| !line.starts_with(&head)).skip(2);
        let rows = rows.take_while(|line| line.starts_with('|'));
        let cells =
            |line: &str| line.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect();
        let rows: Vec<Vec<String>> = rows.map(cells).collect();
        assert!(!rows.is_empty(), "{}: no table with {heading:?}", self.path);
        rows
    }

    /// Where its links lead, except to the web.
    pub fn local_links(&self) -> Vec<String> {
        let prose = self.prose();
        let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        let targets = targets.map(|(target, _)| target.to_owned());
        targets.filter(|target| !target.contains("://") && !target.starts_with('#')).collect()
    }
}

/// What stands between backticks in a text.
pub fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

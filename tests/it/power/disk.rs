//! A disk, and what may be left of it when the power goes.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::record::Event;

/// What is on a disk: files with their bytes, and folders.
pub type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// The folders below a root, which is there from the beginning.
#[derive(Debug, Clone)]
pub struct Disk {
    root: PathBuf,
    folders: HashMap<PathBuf, Folder>,
    files: Vec<File>,
    /// Syncs that began: how much of a folder or a file they cover.
    syncing: HashMap<PathBuf, Covered>,
}

#[derive(Debug, Clone, Default)]
struct Folder {
    /// The names on the disk.
    durable: BTreeMap<String, Entry>,
    /// What was done to them since.
    pending: Vec<Change>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    File(usize),
    Folder,
}

/// A change of the names in a folder: it is on the disk as a whole or not at all.
#[derive(Debug, Clone)]
enum Change {
    Put(String, Entry),
    Drop(String),
    Rename { from: String, to: String },
}

#[derive(Debug, Clone, Default)]
struct File {
    bytes: Vec<u8>,
    /// As they were when a sync that ended well began.
    durable: Option<Vec<u8>>,
}

#[derive(Debug, Clone)]
enum Covered {
    Names(usize),
    Bytes(usize, Vec<u8>),
}

/// What survives of all that was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Survival {
    /// Nothing.
    Nothing,
    /// All names, and files without a byte.
    NamesAlone,
    /// All names, and the first half of each file.
    Torn,
    /// All names, and zeros for bytes.
    Zeros,
    /// All: only the process died.
    All,
    /// Any part: this seed says of each name and each file which.
    Some(u64),
}

impl Disk {
    /// A disk with nothing but a folder on it.
    pub fn new(root: &Path) -> Disk {
        Disk {
            root: root.to_owned(),
            folders: HashMap::from([(root.to_owned(), Folder::default())]),
            files: Vec::new(),
            syncing: HashMap::new(),
        }
    }

    /// Does an operation. What lies outside of the root is not on this disk.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Create { path } => {
                self.files.push(File::default());
                self.change(path, |name, file| Change::Put(name, Entry::File(file)));
            }
            Event::Write { path, offset, bytes } => {
                let Some(file) = self.file(path) else { return };
                let file = &mut self.files[file];
                file.bytes.resize(file.bytes.len().max(offset + bytes.len()), 0);
                file.bytes[*offset..offset + bytes.len()].copy_from_slice(bytes);
            }
            Event::Sync { path } => {
                let covered = match (self.folders.get(path), self.file(path)) {
                    (Some(folder), _) => Covered::Names(folder.pending.len()),
                    (_, Some(file)) => Covered::Bytes(file, self.files[file].bytes.clone()),
                    (None, None) => return,
                };
                self.syncing.insert(path.clone(), covered);
            }
            Event::Synced { path } => match self.syncing.remove(path) {
                Some(Covered::Bytes(file, bytes)) => self.files[file].durable = Some(bytes),
                Some(Covered::Names(count)) => {
                    let folder = self.folders.get_mut(path).unwrap();
                    for change in folder.pending.drain(..count) {
                        change.apply(&mut folder.durable);
                    }
                }
                None => {}
            },
            Event::Rename { from, to } => {
                assert_eq!(from.parent(), to.parent(), "a rename is within a folder");
                let to = name(to);
                self.change(from, |from, _| Change::Rename { from, to });
            }
            Event::Link { from, to } => {
                let file = self.file(from).unwrap();
                self.change(to, |name, _| Change::Put(name, Entry::File(file)));
            }
            Event::Remove { path } => self.change(path, |name, _| Change::Drop(name)),
            Event::MakeFolder { path } => {
                self.change(path, |name, _| Change::Put(name, Entry::Folder));
                self.folders.entry(path.clone()).or_default();
            }
        }
    }

    /// Changes the folder of a path; `change` gets its name and the newest file.
    fn change(&mut self, path: &Path, change: impl FnOnce(String, usize) -> Change) {
        let newest = self.files.len().saturating_sub(1);
        if let Some(folder) = path.parent().and_then(|folder| self.folders.get_mut(folder)) {
            folder.pending.push(change(name(path), newest));
        }
    }

    fn file(&self, path: &Path) -> Option<usize> {
        let folder = self.folders.get(path.parent()?)?;
        let mut names = folder.durable.clone();
        folder.pending.iter().cloned().for_each(|change| change.apply(&mut names));
        match names.get(&name(path)) {
            Some(Entry::File(file)) => Some(*file),
            _ => None,
        }
    }

    /// What is left if the power goes now; paths are below the root.
    pub fn after_cut(&self, survival: Survival) -> Tree {
        let mut tree = Tree::new();
        self.add(&self.root, survival, &mut tree);
        tree
    }

    fn add(&self, folder: &Path, survival: Survival, tree: &mut Tree) {
        let Some(found) = self.folders.get(folder) else { return };
        let mut names = found.durable.clone();
        for (n, change) in found.pending.iter().enumerate() {
            if survival.keeps((folder, n)) {
                change.clone().apply(&mut names);
            }
        }
        for (name, entry) in names {
            let path = folder.join(name);
            let below = path.strip_prefix(&self.root).unwrap().to_owned();
            match entry {
                Entry::File(file) => {
                    tree.insert(below, Some(survival.bytes(&self.files[file], file)));
                }
                Entry::Folder => {
                    tree.insert(below, None);
                    self.add(&path, survival, tree);
                }
            }
        }
    }
}

impl Change {
    fn apply(self, names: &mut BTreeMap<String, Entry>) {
        match self {
            Change::Put(name, entry) => _ = names.insert(name, entry),
            Change::Drop(name) => _ = names.remove(&name),
            Change::Rename { from, to } => {
                // Where the first name never came to the disk, neither does the second.
                if let Some(entry) = names.remove(&from) {
                    names.insert(to, entry);
                }
            }
        }
    }
}

impl Survival {
    fn keeps(self, change: impl Hash) -> bool {
        match self {
            Survival::Nothing => false,
            Survival::Some(seed) => random(seed, change) % 2 == 0,
            _ => true,
        }
    }

    fn bytes(self, file: &File, number: usize) -> Vec<u8> {
        if file.durable.as_ref() == Some(&file.bytes) || self == Survival::All {
            return file.bytes.clone();
        }
        let least = file.durable.clone().unwrap_or_default();
        match self {
            Survival::Nothing | Survival::NamesAlone | Survival::All => least,
            Survival::Torn => file.bytes[..file.bytes.len() / 2].to_vec(),
            Survival::Zeros => vec![0; file.bytes.len()],
            Survival::Some(seed) => match random(seed, number) % 4 {
                0 => least,
                1 => vec![0; file.bytes.len()],
                2 => file.bytes[..random(!seed, number) as usize % (file.bytes.len() + 1)].to_vec(),
                _ => file.bytes.clone(),
            },
        }
    }
}

fn random(seed: u64, of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, of).hash(&mut hasher);
    hasher.finish()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Writes a tree below a folder.
pub fn write(tree: &Tree, folder: &Path) {
    // A folder comes before what is in it.
    for (path, content) in tree {
        match content {
            None => fs::create_dir_all(folder.join(path)).unwrap(),
            Some(bytes) => fs::write(folder.join(path), bytes).unwrap(),
        }
    }
}

/// What is below a folder.
pub fn read(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let below = path.strip_prefix(folder).unwrap().to_owned();
            match path.is_dir() {
                true => {
                    tree.insert(below, None);
                    waiting.push(path);
                }
                false => _ = tree.insert(below, Some(fs::read(&path).unwrap())),
            }
        }
    }
    tree
}

#[test]
fn what_was_synced_survives_and_of_the_rest_any_part() {
    let root = Path::new("/disk");
    let path = |name: &str| root.join(name);
    let mut disk = Disk::new(root);
    let write = |bytes: &str| Event::Write { path: path("a#1"), offset: 0, bytes: bytes.into() };
    let left = |disk: &Disk, survival| -> Vec<(String, String)> {
        let tree = disk.after_cut(survival).into_iter();
        let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap()).unwrap();
        tree.map(|(path, bytes)| (path.to_str().unwrap().to_owned(), text(bytes))).collect()
    };
    let file = |name: &str, text: &str| vec![(name.to_owned(), text.to_owned())];
    disk.apply(&Event::Create { path: path("a#1") });
    disk.apply(&write("text"));
    assert_eq!(left(&disk, Survival::Nothing), []);
    assert_eq!(left(&disk, Survival::NamesAlone), file("a#1", ""));
    assert_eq!(left(&disk, Survival::Torn), file("a#1", "te"));
    assert_eq!(left(&disk, Survival::Zeros), file("a#1", "\0\0\0\0"));
    assert_eq!(left(&disk, Survival::All), file("a#1", "text"));
    disk.apply(&Event::Sync { path: path("a#1") });
    assert_eq!(left(&disk, Survival::NamesAlone), file("a#1", ""), "it has only begun");
    disk.apply(&Event::Synced { path: path("a#1") });
    assert_eq!(left(&disk, Survival::NamesAlone), file("a#1", "text"));
    disk.apply(&Event::Sync { path: root.to_owned() });
    disk.apply(&Event::Rename { from: path("a#1"), to: path("a") });
    disk.apply(&Event::Synced { path: root.to_owned() });
    assert_eq!(left(&disk, Survival::Nothing), file("a#1", "text"), "it came after the sync began");
    assert_eq!(left(&disk, Survival::All), file("a", "text"));
    let some: Vec<_> = (0..64).map(|seed| left(&disk, Survival::Some(seed))).collect();
    assert!(some.contains(&file("a", "text")) && some.contains(&file("a#1", "text")), "{some:?}");
}

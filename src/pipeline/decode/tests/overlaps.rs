//! Which records are dropped as duplicates, and what proves them.

use proptest::prelude::*;

use super::*;

/// One record a line: its numbers.
fn body(numbers: impl IntoIterator<Item = u64>) -> String {
    numbers.into_iter().map(|i| format!("{{\"i\":{i}}}\n")).collect()
}

/// The shard of some objects by start offset and body, before others.
fn shard_before(objects: &[(u64, String)], following: &[(u64, String)]) -> Shard {
    let starts = |objects: &[(u64, String)]| objects.iter().map(|o| o.0).collect::<Vec<_>>();
    let after = shard("partition=0", &starts(following)).objects;
    let following = Following { objects: after, more: false };
    Shard { following, ..shard("partition=0", &starts(objects)) }
}

/// A batch of whole objects.
fn whole(shard: Shard, objects: &[(u64, String)]) -> RawBatch {
    let parts: Vec<_> = objects
        .iter()
        .enumerate()
        .map(|(n, (_, body))| (piece(n, true), body.as_bytes()))
        .collect();
    raw(shard, &parts)
}

/// Decodes objects; the numbers of the rows that are kept, those of the rejects,
/// duplicates, and whether there is a contradiction.
fn kept(decoder: &mut Decoder<'_>, raw: RawBatch) -> (Vec<i64>, Vec<u64>, u64, bool) {
    let batch = decoder.decode(raw).unwrap();
    let sum = batch.rows.len() + batch.rejects.len();
    assert_eq!(batch.counts.read, sum as u64 + batch.counts.duplicate, "the balance");
    let ints = batch.frame.column("0").unwrap().i64().unwrap().iter().flatten().collect();
    let rejects = batch.rejects.iter().map(|reject| reject.offset).collect();
    (ints, rejects, batch.counts.duplicate, batch.counts.contradicted)
}

#[test]
fn what_an_earlier_run_committed_is_dropped_under_the_default_partitioner_only() {
    let three = b"{\"i\":1}\nnonsense\n{\"i\":3}\n";
    // Directory, floor; kept offsets of rows; rejects, duplicates.
    let cases: &[(&str, u64, &[u64], usize, u64)] = &[
        ("partition=0", 0, &[100, 102], 1, 0),
        ("partition=0", 100, &[100, 102], 1, 0),
        ("partition=0", 101, &[102], 1, 1),
        ("partition=0", 102, &[102], 0, 2),
        ("partition=0", 103, &[], 0, 3),
        ("partition=1", 102, &[100, 102], 1, 0),
        ("year=2024/month=01", 102, &[100, 102], 1, 0),
    ];
    for (directory, floor, offsets, rejects, duplicate) in cases {
        let spec = spec();
        let mut decoder = Decoder::new(&spec);
        let shard = Shard { floor: *floor, ..shard(directory, &[100]) };
        let batch = decoder.decode(raw(shard, &[(piece(0, true), three)])).unwrap();
        let case = format!("{directory} from {floor}");
        let kept: Vec<_> = batch.rows.iter().map(|row| row.offset).collect();
        assert_eq!(kept, *offsets, "{case}");
        assert_eq!(batch.rejects.len(), *rejects, "{case}");
        assert_eq!(batch.counts.duplicate, *duplicate, "{case}");
        assert_eq!(decoder.committed_before(), *duplicate, "{case}");
        assert_eq!(batch.counts.ended, [(0, 3)], "{case}");
    }
}

#[test]
fn a_record_is_dropped_only_if_the_same_one_is_kept_before_it() {
    // Start offsets and numbers, which are the offsets; kept numbers, duplicates.
    type Case = (&'static [(u64, std::ops::Range<u64>)], std::ops::Range<i64>, u64);
    let cases: &[Case] = &[
        (&[(0, 0..4), (2, 2..6)], 0..6, 2),
        // A stale object inside a longer one.
        (&[(0, 0..10), (4, 4..6), (10, 10..12)], 0..12, 2),
        (&[(0, 0..10), (4, 4..6)], 0..10, 2),
        // Several of them, also inside each other.
        (&[(0, 0..10), (2, 2..4), (5, 5..6), (10, 10..11)], 0..11, 3),
        (&[(0, 0..10), (2, 2..8), (4, 4..6), (7, 7..12)], 0..12, 11),
        // An overlap longer than several objects.
        (&[(0, 0..9), (3, 3..5), (5, 5..7), (7, 7..9), (9, 9..10)], 0..10, 6),
        // Of one start, as `.json` and `.json.gz`.
        (&[(0, 0..3), (0, 0..3)], 0..3, 3),
        (&[(0, 0..3), (0, 0..5), (5, 5..6)], 0..6, 3),
        (&[(0, 0..5), (0, 0..3), (5, 5..6)], 0..6, 3),
        (&[(0, 0..5), (0, 0..5), (0, 0..5), (2, 2..7)], 0..7, 13),
        // An object of no records proves nothing.
        (&[(0, 0..5), (2, 0..0), (5, 5..6)], 0..6, 0),
        // Neighbours.
        (&[(0, 0..5), (5, 5..9), (20, 20..21)], 0..21, 0),
    ];
    let spec = spec();
    let mut decoder = Decoder::new(&spec);
    for (objects, expected, duplicate) in cases {
        let objects: Vec<_> =
            objects.iter().map(|(s, numbers)| (*s, body(numbers.clone()))).collect();
        let shard = || shard_before(&objects, &[]);
        decoder.begin(Repeats::Drop);
        let (mut ints, _, dropped, contradicted) = kept(&mut decoder, whole(shard(), &objects));
        ints.sort_unstable();
        let there: Vec<_> =
            expected.clone().filter(|i| *i < 9 || *i > 19 || expected.end < 21).collect();
        assert_eq!(ints, there, "{objects:?}");
        assert_eq!((dropped, contradicted), (*duplicate, false), "{objects:?}");
        assert_eq!((decoder.unproven(), decoder.committed_before()), (0, 0), "{objects:?}");

        decoder.begin(Repeats::Keep);
        let (_, _, dropped, contradicted) = kept(&mut decoder, whole(shard(), &objects));
        assert_eq!((dropped, contradicted), (0, false), "{objects:?}");
    }
}

#[test]
fn the_bytes_of_a_record_are_compared_without_what_is_around_them() {
    let first = &b"{\"i\":1}\n{\"value\":{\"i\":2}}\nnonsense\n{\"i\":4}\n"[..];
    // The next object, from the second record on; duplicates; whether it contradicts.
    let cases: &[(&[u8], u64, bool)] = &[
        (b"{\"value\":{\"i\":2}}\nnonsense\n{\"i\":4}\n{\"i\":5}\n", 3, false),
        (b"  {\"value\":{\"i\":2}}\r\n\n \t\r\n nonsense\t\n{\"i\":4}", 3, false),
        (b"{\"value\":{\"i\":2}}\n", 1, false),
        (b"", 0, false),
        (b"\n\r\n", 0, false),
        (b"{\"i\":2}\n", 0, true),
        (b"{\"value\":{\"i\":2} }\n", 0, true),
        (b"{\"value\":{\"i\":2}}\n{\"i\":4}\n", 1, true),
        (b"{\"value\":{\"i\":2}}\nother nonsense\n", 1, true),
    ];
    let spec = spec();
    let mut decoder = Decoder::new(&spec);
    for (second, duplicate, contradicted) in cases {
        decoder.begin(Repeats::Drop);
        let parts = [(piece(0, true), first), (piece(1, true), *second)];
        let raw = raw(shard("partition=0", &[100, 101]), &parts);
        let (_, _, dropped, contradicts) = kept(&mut decoder, raw);
        let case = String::from_utf8_lossy(second);
        assert_eq!((dropped, contradicts), (*duplicate, *contradicted), "{case}");
    }
}

#[test]
fn a_record_is_remembered_over_the_batches_of_a_shard() {
    let spec = spec();
    let mut decoder = Decoder::new(&spec);
    let shard = shard("partition=0", &[0, 4, 10]);
    let objects = [body(0..10), body(4..6), body(10..11)];
    // Each line is a batch.
    let (mut ints, mut duplicate) = (Vec::new(), 0);
    for (object, text) in objects.iter().enumerate() {
        let count = text.lines().count();
        for (n, line) in text.split_inclusive('\n').enumerate() {
            let before = n as u64;
            let piece = Piece {
                lines_before: before,
                records_before: before,
                ..piece(object, n + 1 == count)
            };
            let raw = raw(shard.clone(), &[(piece, line.as_bytes())]);
            let (numbers, _, dropped, contradicted) = kept(&mut decoder, raw);
            assert!(!contradicted);
            ints.extend(numbers);
            duplicate += dropped;
        }
    }
    assert_eq!((ints, duplicate), ((0..11).collect(), 2));
    // The next shard knows nothing of it.
    decoder.begin(Repeats::Drop);
    let raw = raw(shard, &[(piece(1, true), objects[1].as_bytes())]);
    assert_eq!(kept(&mut decoder, raw), (vec![4, 5], vec![], 0, false));
}

#[test]
fn a_line_that_was_cut_off_proves_nothing() {
    let cut = || Piece { fault: Some(BodyFault::GzipTruncated), ..piece(0, true) };
    // The first object, which is cut off; the second, from the second record on;
    // numbers that are kept; offsets of rejects; duplicates.
    type Case = (&'static [u8], &'static [u8], &'static [i64], &'static [u64], u64);
    let cases: &[Case] = &[
        (b"{\"i\":1}\n{\"i\":", b"{\"i\":2}\n", &[1, 2], &[101], 0),
        (b"{\"i\":1}\n12", b"123\n", &[1], &[101, 102, 101], 0),
        // A closing brace is an end.
        (b"{\"i\":1}\n{\"i\":2}", b"{\"i\":2}\n", &[1, 2], &[102], 1),
        (b"{\"i\":1}\n{\"i\":2}\n{\"i\":", b"{\"i\":2}\n{\"i\":3}\n", &[1, 2, 3], &[102], 1),
    ];
    let spec = spec();
    let mut decoder = Decoder::new(&spec);
    for (first, second, ints, rejects, duplicate) in cases {
        decoder.begin(Repeats::Drop);
        let parts = [(cut(), *first), (piece(1, true), *second)];
        let raw = raw(shard("partition=0", &[100, 101]), &parts);
        let expected = (ints.to_vec(), rejects.to_vec(), *duplicate, false);
        assert_eq!(kept(&mut decoder, raw), expected, "{}", first.escape_ascii());
    }
    // Nor does one whose other copy is whole.
    decoder.begin(Repeats::Drop);
    let last = Piece { fault: Some(BodyFault::GzipTruncated), ..piece(1, true) };
    let parts = [(piece(0, true), &b"{\"i\":1}\n{\"i\":2}\n"[..]), (last, b"{\"i\":")];
    let raw = raw(shard("partition=0", &[100, 101]), &parts);
    assert_eq!(kept(&mut decoder, raw), (vec![1, 2], vec![101], 0, false));
}

#[test]
fn a_line_that_is_too_long_proves_nothing() {
    let too_long = |object| Piece { cut: Some(99), ..piece(object, true) };
    let parts = [(too_long(0), &b"{\"i\":1"[..]), (too_long(1), b"{\"i\":1")];
    let batch = decode(raw(shard("partition=0", &[100, 100]), &parts));
    assert_eq!((batch.rejects.len(), batch.counts.duplicate), (2, 0));
}

#[test]
fn a_shard_drops_what_the_shard_after_it_is_proven_to_hold() {
    // Objects of the shard, and of the next one; the kept numbers, duplicates,
    // whether there is a contradiction.
    type Objects = &'static [(u64, std::ops::Range<u64>)];
    let cases: &[(Objects, Objects, Vec<i64>, u64, bool)] = &[
        (&[(0, 0..4)], &[(2, 2..6)], vec![0, 1], 2, false),
        (&[(0, 0..10)], &[(4, 4..6), (10, 10..12)], vec![0, 1, 2, 3, 6, 7, 8, 9], 2, false),
        (&[(0, 0..10)], &[(4, 4..6), (6, 6..8)], vec![0, 1, 2, 3, 8, 9], 4, false),
        (&[(0, 0..10), (3, 3..4)], &[(4, 4..6)], vec![0, 1, 2, 3, 6, 7, 8, 9], 3, false),
        (&[(0, 0..4)], &[(0, 0..4)], vec![], 4, false),
        (&[(0, 0..4)], &[(2, 0..0)], vec![0, 1, 2, 3], 0, false),
        (&[(0, 0..4)], &[(2, 7..9)], vec![0, 1, 2, 3], 0, true),
    ];
    let spec = spec();
    let mut decoder = Decoder::new(&spec);
    for (objects, following, expected, duplicate, contradicted) in cases {
        let bodies = |objects: Objects| {
            objects.iter().map(|(s, numbers)| (*s, body(numbers.clone()))).collect::<Vec<_>>()
        };
        let (objects, following) = (bodies(objects), bodies(following));
        let shard = shard_before(&objects, &following);
        decoder.begin(Repeats::Drop);
        let batch = decoder.decode(whole(shard.clone(), &objects)).unwrap();
        assert!(batch.counts.reaches_next_shard, "{objects:?}");

        let mut ahead = Ahead::new(&shard);
        ahead.add(&whole(shard_before(&following, &[]), &following));
        decoder.begin_knowing(ahead);
        let batch = decoder.decode(whole(shard.clone(), &objects)).unwrap();
        assert!(!batch.counts.reaches_next_shard, "{objects:?}");
        let ints: Vec<_> =
            batch.frame.column("0").unwrap().i64().unwrap().iter().flatten().collect();
        assert_eq!(ints, *expected, "{objects:?} before {following:?}");
        assert_eq!(batch.counts.duplicate, *duplicate, "{objects:?} before {following:?}");
        assert_eq!(batch.counts.contradicted, *contradicted, "{objects:?} before {following:?}");
        assert_eq!(decoder.unproven(), 0, "{objects:?} before {following:?}");
    }
}

#[test]
fn what_later_objects_may_hold_is_kept_and_counted() {
    let spec = spec();
    let mut decoder = Decoder::new(&spec);
    let (objects, following) = (vec![(0, body(0..10))], vec![(4, body(4..5)), (6, body(6..7))]);
    let mut shard = shard_before(&objects, &following);
    shard.following.more = true;
    let mut ahead = Ahead::new(&shard);
    ahead.add(&whole(shard_before(&following, &[]), &following));
    decoder.begin_knowing(ahead);
    let (ints, _, duplicate, _) = kept(&mut decoder, whole(shard, &objects));
    assert_eq!((ints, duplicate), (vec![0, 1, 2, 3, 5, 7, 8, 9], 2));
    // 7, 8 and 9 may be in an object after the one at 6; 5 cannot.
    assert_eq!(decoder.unproven(), 3);
}

/// Random objects by start offset and number of records, and where shards end.
fn histories() -> impl Strategy<Value = Vec<Vec<(u64, String)>>> {
    let objects = prop::collection::vec((0..20_u64, 0..9_u64, any::<bool>()), 1..12);
    objects.prop_map(|mut objects| {
        objects.sort_unstable();
        let mut shards = vec![Vec::new()];
        for (start, count, ends) in objects {
            let object = (start, body(start..start + count));
            shards.last_mut().unwrap().push(object);
            if ends {
                shards.push(Vec::new());
            }
        }
        shards.retain(|shard| !shard.is_empty());
        shards
    })
}

proptest! {
    #[test]
    fn whatever_objects_overlap_each_offset_is_kept_once(shards in histories()) {
        let spec = spec();
        let mut decoder = Decoder::new(&spec);
        let mut all = Vec::new();
        for (n, objects) in shards.iter().enumerate() {
            let following = shards[n + 1..].concat();
            let shard = shard_before(objects, &following);
            let mut ahead = Ahead::new(&shard);
            ahead.add(&whole(shard_before(&following, &[]), &following));
            decoder.begin_knowing(ahead);
            let (ints, _, _, contradicted) = kept(&mut decoder, whole(shard, objects));
            prop_assert!(!contradicted);
            prop_assert_eq!(decoder.unproven(), 0);
            all.extend(ints);
        }
        let ends: Vec<u64> = shards.concat().iter().map(|(s, b)| s + b.lines().count() as u64).collect();
        let starts: Vec<u64> = shards.concat().iter().map(|(start, _)| *start).collect();
        let covers = |i: &u64| starts.iter().zip(&ends).any(|(start, end)| (*start..*end).contains(i));
        let expected: Vec<i64> = (0..40).filter(covers).map(|i| i as i64).collect();
        all.sort_unstable();
        prop_assert_eq!(all, expected);
    }
}

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array,
    LargeBinaryArray, LargeListArray, LargeListBuilder, ListArray, StringArray, StringViewArray,
    StringViewBuilder, TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{
    DataType, Field, Float64Type, Int32Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType,
};
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::data_type::{Int96, Int96Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use super::*;

const PATH: &str = "pin/part-0.parquet";

type Partition = BTreeMap<String, Option<String>>;

fn element(ty: DataType) -> Arc<Field> {
    Arc::new(Field::new("element", ty, true))
}

fn utc() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn schema(columns: &[(&str, DataType)]) -> SchemaRef {
    let fields = columns.iter().map(|(name, ty)| Field::new(*name, ty.clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A batch with a column of every type that tables have.
fn every_type() -> RecordBatch {
    let long = "a text that is longer than the twelve bytes of a view";
    let numbers = [Some(vec![Some(1), None]), None, Some(vec![])];
    let numbers = LargeListArray::from_iter_primitive::<Int32Type, _, _>(numbers).into_parts();
    let ints = LargeListArray::new(element(DataType::Int32), numbers.1, numbers.2, numbers.3);
    let mut texts =
        LargeListBuilder::new(StringViewBuilder::new()).with_field(element(DataType::Utf8View));
    texts.append_value([Some(long), None]);
    texts.append_value([None::<&str>; 0]);
    texts.append_null();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("int", Arc::new(Int32Array::from(vec![Some(i32::MIN), None, Some(i32::MAX)]))),
        ("long", Arc::new(Int64Array::from(vec![Some(1), None, Some(i64::MAX)]))),
        ("float", Arc::new(Float64Array::from(vec![Some(0.5), None, Some(-1e300)]))),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("text", Arc::new(StringViewArray::from(vec![Some(long), None, Some("é")]))),
        ("day", Arc::new(Date32Array::from(vec![Some(20_000), None, Some(-1)]))),
        (
            "at",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(-1), None, Some(9_223_372_036_854_775)])
                    .with_timezone("UTC"),
            ),
        ),
        ("ints", Arc::new(ints)),
        ("texts", Arc::new(texts.finish())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)))
        .unwrap()
}

/// The batches as one file, in row groups of `rows`, with the types of Parquet.
fn file(batches: &[RecordBatch], rows: usize) -> Vec<u8> {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(rows)).build();
    let options =
        ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let schema = batches[0].schema();
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), schema, options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

async fn stored(bytes: Vec<u8>) -> Output {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    objects.put(&Path::from(PATH), bytes.into()).await.unwrap();
    Output { objects, url: "out".into(), refusals: None }
}

async fn open(output: &Output) -> Result<FileReader> {
    FileReader::open(output, &Path::from(PATH)).await
}

async fn batches(
    output: &Output,
    wanted: &SchemaRef,
    partition: &Partition,
) -> Result<Vec<RecordBatch>> {
    open(output).await?.read(wanted, partition)?.try_collect().await
}

async fn read(output: &Output, wanted: &SchemaRef, partition: &Partition) -> Result<RecordBatch> {
    Ok(concat_batches(wanted, &batches(output, wanted, partition).await?).unwrap())
}

#[tokio::test]
async fn every_type_reads_as_it_was_written() {
    let batch = every_type();
    for rows in [2, 100] {
        let output = stored(file(std::slice::from_ref(&batch), rows)).await;
        assert_eq!(open(&output).await.unwrap().rows(), 3);
        let got = read(&output, &batch.schema(), &Partition::new()).await.unwrap();
        assert_eq!(got, batch);
    }
}

#[tokio::test]
async fn columns_come_in_the_order_wanted_and_no_others() {
    let batch = every_type();
    let output = stored(file(std::slice::from_ref(&batch), 2)).await;
    for names in [vec!["texts", "int"], vec!["at"], vec!["text", "long", "day"]] {
        let wanted = names.iter().map(|name| batch.schema_ref().index_of(name).unwrap());
        let wanted = batch.project(&wanted.collect::<Vec<_>>()).unwrap();
        let got = read(&output, &wanted.schema(), &Partition::new()).await.unwrap();
        assert_eq!(got, wanted);
    }
    let none = read(&output, &schema(&[]), &Partition::new()).await.unwrap();
    assert_eq!((none.num_rows(), none.num_columns()), (3, 0));
}

#[tokio::test]
async fn columns_that_the_file_lacks_are_null_and_narrow_ones_are_widened() {
    let output = stored(file(&[every_type()], 2)).await;
    let list = DataType::LargeList(element(DataType::Utf8View));
    let longs = DataType::LargeList(element(DataType::Int64));
    let wanted = schema(&[
        ("new", DataType::Utf8View),
        ("int", DataType::Int64),
        ("news", list.clone()),
        ("ints", longs),
        ("when", utc()),
    ]);
    let got = read(&output, &wanted, &Partition::new()).await.unwrap();
    assert_eq!(&new_null_array(&DataType::Utf8View, 3), got.column(0));
    assert_eq!(&new_null_array(&list, 3), got.column(2));
    assert_eq!(got.column(4).null_count(), 3);
    let int = got.column(1).as_primitive::<Int64Type>();
    assert_eq!(int, &Int64Array::from(vec![Some(i32::MIN.into()), None, Some(i32::MAX.into())]));
    let first = got.column(3).as_list::<i64>().value(0);
    assert_eq!(first.as_primitive::<Int64Type>(), &Int64Array::from(vec![Some(1), None]));

    let floats = DataType::LargeList(element(DataType::Float64));
    let wanted = schema(&[("int", DataType::Float64), ("ints", floats)]);
    let got = read(&output, &wanted, &Partition::new()).await.unwrap();
    assert_eq!(got.column(0).as_primitive::<Float64Type>().value(0), f64::from(i32::MIN));
    assert_eq!(got.column(1).null_count(), 1);
}

#[tokio::test]
async fn texts_and_bytes_come_as_the_type_wanted() {
    let text: ArrayRef = Arc::new(StringArray::from(vec![Some("a text of some length"), None]));
    let raw: ArrayRef = Arc::new(LargeBinaryArray::from(vec![None, Some(&[0xff, 0][..])]));
    let batch =
        RecordBatch::try_from_iter_with_nullable([("text", text, true), ("raw", raw, true)])
            .unwrap();
    let output = stored(file(std::slice::from_ref(&batch), 1)).await;
    for (text, raw) in
        [(DataType::Utf8, DataType::LargeBinary), (DataType::Utf8View, DataType::BinaryView)]
    {
        let wanted = schema(&[("text", text), ("raw", raw)]);
        let got = read(&output, &wanted, &Partition::new()).await.unwrap();
        assert_eq!(&cast(got.column(0), &DataType::Utf8).unwrap(), batch.column(0));
        assert_eq!(&cast(got.column(1), &DataType::LargeBinary).unwrap(), batch.column(1));
    }
}

#[tokio::test]
async fn lists_whose_elements_have_another_name_are_the_same() {
    let rows = [Some(vec![Some(1), None]), None];
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(rows);
    let lists: ArrayRef = Arc::new(lists);
    let batch = RecordBatch::try_from_iter_with_nullable([("ints", lists, true)]).unwrap();
    let output = stored(file(&[batch], 9)).await;
    for ty in [DataType::Int32, DataType::Int64] {
        let wanted = schema(&[("ints", DataType::LargeList(element(ty)))]);
        let got = read(&output, &wanted, &Partition::new()).await.unwrap();
        let lists = got.column(0).as_list::<i64>();
        assert_eq!((lists.value(0).len(), lists.value(0).null_count()), (2, 1));
        assert!(lists.is_null(1));
    }
}

/// A time as Spark writes it unless told otherwise: nanoseconds of a day, and a
/// Julian day (2,440,588 is 1970-01-01).
fn file_of_spark(days: u32) -> Vec<u8> {
    let message = "message spark_schema { optional int96 at; }";
    let message = Arc::new(parquet::schema::parser::parse_message_type(message).unwrap());
    let mut file = SerializedFileWriter::new(Vec::new(), message, Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let mut value = Int96::new();
    value.set_data(1_000, 0, 2_440_588 + days);
    column.typed::<Int96Type>().write_batch(&[value], Some(&[1, 0]), None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.into_inner().unwrap()
}

#[tokio::test]
async fn times_that_spark_wrote_are_read_to_the_last_year() {
    for days in [0, 2_932_896] {
        let output = stored(file_of_spark(days)).await;
        let got = read(&output, &schema(&[("at", utc())]), &Partition::new()).await.unwrap();
        let wanted = i64::from(days) * 86_400_000_000 + 1;
        let wanted = TimestampMicrosecondArray::from(vec![Some(wanted), None]);
        assert_eq!(
            got.column(0).as_primitive::<TimestampMicrosecondType>(),
            &wanted.with_timezone("UTC")
        );
    }
}

#[tokio::test]
async fn a_column_that_would_lose_something_is_refused() {
    let output = stored(file(&[every_type()], 2)).await;
    let ints = DataType::LargeList(element(DataType::Int32));
    let cases = [
        ("long", DataType::Int32),
        ("long", DataType::Float64),
        ("float", DataType::Int64),
        ("text", DataType::Int64),
        ("int", DataType::Utf8View),
        ("texts", ints),
    ];
    for (name, ty) in cases {
        let wanted = schema(&[(name, ty)]);
        let error = read(&output, &wanted, &Partition::new()).await.unwrap_err();
        let Error::Read { object, source } = error else { panic!("{error}") };
        assert_eq!(object, format!("out/{PATH}"));
        assert!(source.to_string().contains(&format!("column {name} is ")), "{source}");
    }
}

#[tokio::test]
async fn partition_values_become_columns() {
    let output = stored(file(&[every_type()], 2)).await;
    let cases: Vec<(DataType, Option<&str>, ArrayRef)> = vec![
        (DataType::Int32, Some("-7"), Arc::new(Int32Array::from(vec![-7]))),
        (DataType::Int64, Some("7"), Arc::new(Int64Array::from(vec![7]))),
        (DataType::Float64, Some("1.5"), Arc::new(Float64Array::from(vec![1.5]))),
        (DataType::Boolean, Some("true"), Arc::new(BooleanArray::from(vec![true]))),
        (DataType::Utf8View, Some("a=b/c"), Arc::new(StringViewArray::from(vec!["a=b/c"]))),
        (DataType::Utf8View, Some(""), Arc::new(StringViewArray::from(vec![None::<&str>]))),
        (DataType::Utf8View, None, Arc::new(StringViewArray::from(vec![None::<&str>]))),
        (DataType::Int32, None, Arc::new(Int32Array::from(vec![None]))),
        (DataType::Date32, Some("2024-01-01"), Arc::new(Date32Array::from(vec![19_723]))),
        (
            utc(),
            Some("1970-01-01 00:00:01.5"),
            Arc::new(TimestampMicrosecondArray::from(vec![1_500_000]).with_timezone("UTC")),
        ),
        (
            utc(),
            Some("1970-01-01T00:00:01.000001Z"),
            Arc::new(TimestampMicrosecondArray::from(vec![1_000_001]).with_timezone("UTC")),
        ),
    ];
    for (ty, value, wanted) in cases {
        // The log holds the value, whatever the file has under that name.
        for name in ["of", "int"] {
            let partition = Partition::from([(name.to_owned(), value.map(str::to_owned))]);
            let columns = schema(&[("long", DataType::Int64), (name, ty.clone())]);
            let got = read(&output, &columns, &partition).await.unwrap();
            assert_eq!(got.num_rows(), 3);
            for row in 0..3 {
                assert_eq!(&got.column(1).slice(row, 1), &wanted);
            }
        }
    }
    let partition = Partition::from([("of".to_owned(), Some("x".to_owned()))]);
    let error = read(&output, &schema(&[("of", DataType::Int32)]), &partition).await.unwrap_err();
    let Error::Read { source, .. } = error else { panic!("{error}") };
    assert!(source.to_string().contains("partition column of: \"x\""), "{source}");
}

/// Rows of 1 kB that do not compress: a file beyond what the first request gets.
fn noise(rows: usize) -> RecordBatch {
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'0' + ((state >> 33) % 64) as u8)
    };
    let texts: Vec<String> = (0..rows).map(|_| (0..1000).map(|_| next()).collect()).collect();
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows as i64));
    let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values(texts));
    RecordBatch::try_from_iter_with_nullable([("n", numbers, true), ("text", texts, true)]).unwrap()
}

#[tokio::test]
async fn a_large_file_is_read_in_batches_of_bounded_size() {
    let batch = noise(20_000);
    let bytes = file(std::slice::from_ref(&batch), 15_000);
    assert!(bytes.len() as u64 > 2 * object::TAIL_BYTES);
    let output = stored(bytes).await;
    let got = batches(&output, &batch.schema(), &Partition::new()).await.unwrap();
    assert!(got.iter().all(|batch| batch.num_rows() <= 5_000), "batches of about 4 MiB");
    assert_eq!(concat_batches(&batch.schema(), &got).unwrap(), batch);
    let keys = schema(&[("n", DataType::Int64)]);
    let got = batches(&output, &keys, &Partition::new()).await.unwrap();
    assert!(got[0].num_rows() > 5_000, "short rows come in long batches");
    assert_eq!(got.iter().map(RecordBatch::num_rows).sum::<usize>(), 20_000);
}

#[tokio::test]
async fn a_file_that_is_gone_is_told_with_what_to_do() {
    let batch = noise(2_000);
    let output = stored(file(std::slice::from_ref(&batch), 500)).await;
    let told = |error: Error| {
        assert!(matches!(error, Error::DataFileGone { .. }), "{error}");
        let shown = error.to_string();
        assert!(shown.starts_with(&format!("out/{PATH} is gone")), "{shown}");
        assert!(shown.contains("restore the file") && shown.contains("--mode overwrite"));
    };
    let stream = open(&output).await.unwrap().read(&batch.schema(), &Partition::new()).unwrap();
    output.objects.delete(&Path::from(PATH)).await.unwrap();
    told(stream.try_collect::<Vec<_>>().await.unwrap_err());
    told(open(&output).await.map(|_| ()).unwrap_err());
}

#[tokio::test]
async fn a_corrupt_file_is_named() {
    let batch = noise(2_000);
    let whole = file(std::slice::from_ref(&batch), 500);
    let mut turned = whole.clone();
    turned[..whole.len() / 2].iter_mut().for_each(|byte| *byte = !*byte);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", vec![]),
        ("short", b"PAR1".to_vec()),
        ("no Parquet", vec![b'{'; 5_000]),
        ("cut at the end", whole[..whole.len() - 1].to_vec()),
        ("cut at the start", whole[whole.len() / 2..].to_vec()),
        ("overwritten", turned),
    ];
    for (name, bytes) in cases {
        let output = stored(bytes).await;
        let error = batches(&output, &batch.schema(), &Partition::new()).await.unwrap_err();
        assert!(
            matches!(&error, Error::Read { object, .. } if *object == format!("out/{PATH}")),
            "{name}: {error:?}"
        );
    }
}

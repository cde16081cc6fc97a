// A tour of Holdfast.Bitcask. What it prints stands in output.txt; a test compares the two.
using System.Globalization;
using System.Text;
using Holdfast.Bitcask;
using Holdfast.Log;

string place = args.Length > 0 ? args[0] : Directory.CreateTempSubdirectory("holdfast-example-").FullName;
string directory = Path.Combine(place, "store");

// Opened for ranges and prefixes. Without them the compact keydir is enough, and takes less memory.
using (BitcaskStore store = BitcaskStore.Open(directory, new BitcaskOptions { Keydir = KeydirKind.Ordered }))
{
    PutGetDelete(store);
    Batch(store);
    TimeToLive(store);
    Snapshots(store);
    Prefixes(store);
    Transactions(store);
    await WatchAsync(store);
    CheckpointWhileWriting(store, Path.Combine(place, "checkpoint"));
}

Verify(Path.Combine(place, "checkpoint"));
Reopen(directory);
if (args.Length == 0) Directory.Delete(place, recursive: true);

static void PutGetDelete(BitcaskStore store)
{
    // Durable when it returns, unless it is told otherwise: see Durability.
    store.Put("user/1"u8, "Ada"u8);
    Say($"user/1 is {Text(store.Get("user/1"u8))}");

    // Into memory of your own: the length is told also when it does not fit.
    Span<byte> buffer = stackalloc byte[64];
    if (store.TryGet("user/1"u8, buffer, out int length)) Say($"its value has {length} bytes");

    // Without a copy, where the value lies in the mapped file. For large values.
    using (ValueLease? lease = store.Lease("user/1"u8)) Say($"it begins with {(char)lease!.Value[0]}");

    Say($"deleted: {store.Delete("user/1"u8)}; there now: {store.Exists("user/1"u8)}");
}

static void Batch(BitcaskStore store)
{
    // All of it or nothing, also when the power fails in the middle.
    var batch = new WriteBatch();
    for (int i = 1; i <= 5; i++) batch.Put(Key($"user/{i}"), Key($"name {i}"));
    batch.Put("users"u8, "5"u8);
    store.Write(batch);
    Say($"after a batch of {batch.Count} changes there are {store.Count} keys");
}

static void TimeToLive(BitcaskStore store)
{
    store.Put("session"u8, "token"u8, expires: TimeProvider.System.GetUtcNow().AddHours(1));
    store.Put("old session"u8, "token"u8, expires: TimeProvider.System.GetUtcNow().AddHours(-1));
    Say($"session: {store.Exists("session"u8)}, old session: {store.Exists("old session"u8)}");
    store.Delete("session"u8);
}

static void Snapshots(BitcaskStore store)
{
    using StoreSnapshot snapshot = store.Snapshot();
    store.Delete("user/5"u8);
    long bytes = snapshot.Fold(0L, static (sum, key, value) => sum + key.Length + value.Length);
    Say($"the snapshot still has {Text(snapshot.Get("user/5"u8))}; its keys and values have {bytes} bytes");
}

static void Prefixes(BitcaskStore store)
{
    using StoreSnapshot snapshot = store.Snapshot();
    using SnapshotReader reader = snapshot.OpenReader(KeyRange.Prefix("user/"u8) with { IsBackward = true });
    while (reader.TryRead()) Say($"  {Encoding.UTF8.GetString(reader.Key)} = {Encoding.UTF8.GetString(reader.Value)}");
}

static void Transactions(BitcaskStore store)
{
    // Nobody waits for anybody; who finds that what was read has changed tries again.
    int attempts = 0;
    while (true)
    {
        attempts++;
        Transaction transaction = store.BeginTransaction();
        int users = int.Parse(Text(transaction.Get("users"u8)), CultureInfo.InvariantCulture);
        if (attempts == 1) store.Put("users"u8, "10"u8);
        transaction.Put("users"u8, Key((users + 1).ToString(CultureInfo.InvariantCulture)));
        if (transaction.TryCommit()) break;
    }

    Say($"users: {Text(store.Get("users"u8))} after {attempts} attempts");
}

static async Task WatchAsync(BitcaskStore store)
{
    // Changes are kept from the call on; here they wait until they are taken.
    IAsyncEnumerable<Change> changes = store.WatchAsync(Key("user/"));
    store.Put("user/6"u8, "Grace"u8);
    store.Put("not watched"u8, "x"u8);
    store.Delete("user/6"u8);
    await foreach (Change change in changes)
    {
        Say($"  change: {Text(change.Key)} {(change.Value is null ? "deleted" : $"= {Text(change.Value)}")}");
        if (change.Value is null) break;
    }
}

static void CheckpointWhileWriting(BitcaskStore store, string target)
{
    using var stop = new CancellationTokenSource();
    var writer = new Thread(() =>
    {
        for (int i = 0; !stop.IsCancellationRequested; i++) store.Put(Key($"count/{i % 100}"), Key($"{i}"), durability: Durability.None);
    });
    writer.Start();
    CheckpointReport report = store.Checkpoint(target);
    stop.Cancel();
    writer.Join();
    Say($"a checkpoint was made while somebody wrote: {(report.CopiedBytes == 0 ? "all files are links" : "some files were copied")}");
}

static void Verify(string checkpoint)
{
    VerifyReport report = BitcaskStore.Verify(checkpoint, all: true);
    Say($"the checkpoint is {(report.IsWhole ? "whole" : "damaged")}");
    using BitcaskStore copy = BitcaskStore.Open(checkpoint, new BitcaskOptions { ReadOnly = true });
    Say($"users in it: {Text(copy.Get("users"u8))}");
}

static void Reopen(string directory)
{
    using BitcaskStore store = BitcaskStore.Open(directory);
    Say($"after a restart user/2 is {Text(store.Get("user/2"u8))}");
    try
    {
        using BitcaskStore second = BitcaskStore.Open(directory);
    }
    catch (HoldfastException busy) when (busy.Kind == ErrorKind.Busy)
    {
        Say("a second writer is refused");
    }
}

static byte[] Key(string text) => Encoding.UTF8.GetBytes(text);

static string Text(byte[]? bytes) => bytes is null ? "(absent)" : Encoding.UTF8.GetString(bytes);

static void Say(string line) => Console.WriteLine(line);

using System.Runtime.CompilerServices;
using System.Text;
using Holdfast.Bitcask;
using Holdfast.Databases.Agents;
using Holdfast.Databases.Bitcask;
using Holdfast.Databases.RocksDb;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Databases.Tests;

/// What the README shows is the code below, and does what it says.
public sealed class ReadmeTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void TheCodeInTheReadmeIsTheCodeBelowAndRuns()
    {
        CheckpointManifest checkpoint = UseDatabase($"{directory.Path}/db", $"{directory.Path}/monday");
        Assert.NotEmpty(checkpoint.Files);
        using (RocksDatabase copy = RocksDatabase.Open($"{directory.Path}/monday"))
        {
            Assert.Equal("paid"u8.ToArray(), copy.Get("order/17"u8));
            Assert.Empty(copy.Get("paid/17"u8, copy.FindColumnFamily("index"))!);
        }

        ListenForCopies($"{directory.Path}/monday", $"{directory.Path}/store");

        string[] blocks = [.. File.ReadAllText(Path.Combine(Repository(), "src", "Holdfast.Databases", "README.md")).Split("```csharp\n").Skip(1).Select(text => text.Split("```")[0])];
        Assert.Equal(2, blocks.Length);
        string[] code = [.. CodeOf(File.ReadAllLines(ThisFile()))];
        foreach (string block in blocks)
        {
            string shown = block.Replace("\"/srv/app/db\"", "place", StringComparison.Ordinal)
                .Replace("\"/srv/app/checkpoints/monday\"", "target", StringComparison.Ordinal);
            Assert.All(CodeOf(shown.Split('\n')), line => Assert.Contains(line, code));
        }
    }

    private static CheckpointManifest UseDatabase(string place, string target)
    {
        using RocksDatabase database = RocksDatabase.Open(place, new RocksOptions
        {
            CreateIfMissing = true,
            CacheBytes = 256 << 20,
            Family = new RocksFamilyOptions { Compression = RocksCompression.Zstd, BloomBitsPerKey = 10 },
        });
        RocksColumnFamily index = database.FindColumnFamily("index") ?? database.CreateColumnFamily("index");

        using var batch = new RocksBatch();
        batch.Put(database.Default, "order/17"u8, "paid"u8);
        batch.Put(index, "paid/17"u8, ""u8);
        database.Write(batch, RocksDurability.Synced);

        using (RocksValue? value = database.GetPinned("order/17"u8))
            Console.WriteLine(Encoding.UTF8.GetString(value!.Span));

        using RocksIterator orders = database.Iterate();
        for (bool isThere = orders.Seek("order/"u8); isThere && orders.Key.StartsWith("order/"u8); isThere = orders.MoveNext())
            Console.WriteLine(Encoding.UTF8.GetString(orders.Key));

        var checkpointer = new DatabaseCheckpointer(Host.CreateReal());
        CheckpointManifest checkpoint = checkpointer.Checkpoint(database, target);
        return checkpoint;
    }

    private static void ListenForCopies(string place, string storePlace)
    {
        using (RocksDatabase database = RocksDatabase.Open(place))
        {
            using CheckpointAgent agent = CheckpointAgent.Start(database);
        }

        using (BitcaskStore store = BitcaskStore.Open(storePlace))
        {
            // As the comment beside it says.
            using CheckpointAgent other = CheckpointAgent.Start(new BitcaskSource(store));
        }
    }

    private static IEnumerable<string> CodeOf(string[] lines) => lines.Select(line => line.Split("//")[0].Trim()).Where(line => line.Length > 0);

    private static string Repository() => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", ".."));

    private static string ThisFile([CallerFilePath] string path = "") => path;
}

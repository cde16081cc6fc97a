using System.Globalization;
using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Crashes;

/// <summary>A program of one-letter operations on a store, and what is known of it at each moment.</summary>
/// <remarks>
/// <c>a</c>, <c>b</c>: put that key; <c>A</c>: delete a; <c>X</c>: put a with an expiry that has passed; <c>g</c>: put
/// a, synced by a group commit;
/// <c>e</c>: put b, synced by itself; <c>B</c>: batch of put a and delete b; <c>L</c>: put a key of its own with a
/// value of more than half a segment, so that segments
/// roll; <c>s</c>: sync; <c>m</c>: merge what is due; <c>M</c>: merge all; <c>C</c>: checkpoint; <c>O</c>: close and
/// open.
/// </remarks>
internal sealed class CrashProgram : IDisposable
{
    public const string Directory = "/kv";

    private const int LargeBytes = 2100;

    private readonly SimulatedHost host;
    private readonly BitcaskOptions options;
    private readonly SortedDictionary<string, string> model = new(StringComparer.Ordinal);
    private readonly List<string> history = [""];
    private readonly List<int> checkpoints = [];
    private BitcaskStore store;
    private int durable;
    private int step;

    /// <summary>Opens a new store.</summary>
    public CrashProgram(SimulatedHost host, KeydirKind keydir)
    {
        this.host = host;
        options = StoreTesting.Small with { Keydir = keydir, MinImageKeys = 1 };
        store = BitcaskStore.Open(host, Directory, options);
    }

    /// <summary>The content after each change, described; the first is that before any.</summary>
    public IReadOnlyList<string> History => history;

    /// <summary>After which change each checkpoint was made.</summary>
    public IReadOnlyList<int> Checkpoints => checkpoints;

    /// <summary>The last change that was acknowledged as durable, and the last that was begun.</summary>
    public (int Durable, int Made) Moment => (durable, history.Count - 1);

    /// <summary>How many segments merges have replaced.</summary>
    public long MergedSegments { get; private set; }

    public void Run(string operations)
    {
        foreach (char operation in operations) Do(operation);
    }

    /// <summary>Only lets go: the power may be out.</summary>
    public void Dispose()
    {
        try
        {
            store.Dispose();
        }
        catch (PowerCutException)
        {
        }
    }

    private void Do(char operation)
    {
        step++;
        switch (operation)
        {
            case 'a': Put("a", Durability.None); break;
            case 'b': Put("b", Durability.None); break;
            case 'g': Put("a", Durability.Group); break;
            case 'e': Put("b", Durability.Each); break;
            case 'L': Put(string.Create(CultureInfo.InvariantCulture, $"L{step}"), Durability.None, LargeBytes); break;
            case 'A':
                model.Remove("a");
                Begin();
                store.Delete("a");
                break;
            case 'X':
                model.Remove("a");
                Begin();
                store.Put(
                    StoreTesting.Bytes("a"), StoreTesting.Bytes("expired"), host.Clock.GetUtcNow().AddSeconds(-1));
                break;
            case 'B': Batch(); break;
            case 's':
                store.Sync();
                durable = history.Count - 1;
                break;
            case 'm': MergedSegments += store.Merge().SegmentsBefore; break;
            case 'M': MergedSegments += store.Merge(MergeScope.All).SegmentsBefore; break;
            case 'C':
                checkpoints.Add(history.Count - 1);
                store.Checkpoint(CheckpointPath(checkpoints.Count - 1));
                durable = history.Count - 1;
                break;
            case 'O':
                store.Dispose();
                durable = history.Count - 1;
                store = BitcaskStore.Open(host, Directory, options);
                break;
            default: throw new ArgumentException($"'{operation}' is no operation", nameof(operation));
        }
    }

    public static string CheckpointPath(int index) => string.Create(CultureInfo.InvariantCulture, $"/copy{index}");

    private void Put(string key, Durability durability, int length = 0)
    {
        string value = StoreTesting.Padded(string.Create(CultureInfo.InvariantCulture, $"{step}"), length);
        model[key] = value;
        Begin();
        store.Put(key, value, durability);
        if (durability != Durability.None) durable = history.Count - 1;
    }

    private void Batch()
    {
        string value = string.Create(CultureInfo.InvariantCulture, $"{step}");
        var batch = new WriteBatch();
        batch.Put(StoreTesting.Bytes("a"), StoreTesting.Bytes(value));
        batch.Delete(StoreTesting.Bytes("b"));
        model["a"] = value;
        model.Remove("b");
        Begin();
        store.Write(batch);
    }

    private void Begin() => history.Add(StoreTesting.Describe(model));
}

using System.Globalization;

namespace Holdfast.Bitcask.Tests.Models;

/// <summary>What a step of a random program does.</summary>
internal enum StoreStepKind
{
    Put,
    PutExpiring,
    Delete,
    Batch,
    Transaction,
    Get,
    MergeDue,
    MergeAll,
    Maintain,
    TakeSnapshot,
    DropSnapshot,
    Range,
    Advance,
    Sync,
    Checkpoint,
    Backup,
    Reopen,
    Kill,
    Check,
}

/// <summary>A step of a random program. All that it does follows from its numbers, so that other steps may be left
/// out.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Key">Which key, or where to begin.</param>
/// <param name="Size">Length of a value, or how many.</param>
internal readonly record struct StoreStep(StoreStepKind Kind, int Key, int Size)
{
    public const int Keys = 40;

    /// <summary>A program of some steps.</summary>
    public static List<StoreStep> Draw(Random random, int count)
    {
        var steps = new List<StoreStep>();
        for (int i = 0; i < count; i++) steps.Add(new StoreStep(DrawKind(random), random.Next(Keys), DrawSize(random)));
        return steps;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind}({Key}, {Size})");

    private static int DrawSize(Random random) => random.Next(8) switch
    {
        0 => 0,
        < 6 => random.Next(40),
        6 => random.Next(700),
        _ => 1000 + random.Next(2600),
    };

    private static StoreStepKind DrawKind(Random random) => random.Next(100) switch
    {
        < 34 => StoreStepKind.Put,
        < 38 => StoreStepKind.PutExpiring,
        < 56 => StoreStepKind.Delete,
        < 62 => StoreStepKind.Batch,
        < 66 => StoreStepKind.Transaction,
        < 70 => StoreStepKind.Get,
        < 73 => StoreStepKind.MergeDue,
        < 75 => StoreStepKind.MergeAll,
        < 78 => StoreStepKind.Maintain,
        < 81 => StoreStepKind.TakeSnapshot,
        < 83 => StoreStepKind.DropSnapshot,
        < 87 => StoreStepKind.Range,
        < 90 => StoreStepKind.Advance,
        < 91 => StoreStepKind.Sync,
        < 92 => StoreStepKind.Checkpoint,
        < 93 => StoreStepKind.Backup,
        < 95 => StoreStepKind.Reopen,
        < 97 => StoreStepKind.Kill,
        _ => StoreStepKind.Check,
    };
}

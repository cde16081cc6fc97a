using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Races;

/// <summary>A moment of a merge at which something else may happen.</summary>
public enum MergePoint
{
    /// <summary>While records are copied.</summary>
    Copy,

    /// <summary>When all is copied and nothing is visible yet.</summary>
    Seal,

    /// <summary>While keys move over.</summary>
    Move,

    /// <summary>When what was replaced has been dropped.</summary>
    Hint,
}

/// <summary>Does things at a moment of a merge, as another thread may: within a call that the merge makes to the
/// disk.</summary>
internal static class MergePoints
{
    public static void Interleave(SimulatedDisk disk, MergePoint point, Action action)
    {
        int unnamed = 0;
        bool isReplacementSealed = false;
        bool isSealed = false;
        bool isDone = false;
        disk.BeforeCall = call =>
        {
            if (isDone) return;
            if (call.Kind == DiskCallKind.CreateUnnamed) unnamed++;
            // The active segment after the one that the merge seals is published too, but it is not sealed before.
            isReplacementSealed |= IsSealOfReplacement(call);
            if (call.Kind == DiskCallKind.Publish && call.Path.EndsWith(".log", StringComparison.Ordinal))
            {
                isSealed |= isReplacementSealed;
                unnamed = 0;
            }

            bool isThere = point switch
            {
                MergePoint.Copy => IsReadOfSegment(call) && unnamed > 0 && !isSealed,
                MergePoint.Seal => IsSealOfReplacement(call),
                MergePoint.Move => IsReadOfSegment(call) && isSealed,
                _ => call.Kind == DiskCallKind.CreateUnnamed && isSealed,
            };
            if (!isThere) return;
            isDone = true;
            action();
        };
    }

    internal static bool IsSealOfReplacement(DiskCall call) =>
        call.Kind == DiskCallKind.WriteDurably && call.Path.EndsWith("(unnamed)", StringComparison.Ordinal);

    private static bool IsReadOfSegment(DiskCall call) =>
        call.Kind == DiskCallKind.Read && call.Path.EndsWith(".log", StringComparison.Ordinal);
}

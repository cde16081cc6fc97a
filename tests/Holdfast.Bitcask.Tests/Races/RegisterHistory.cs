namespace Holdfast.Bitcask.Tests.Races;

/// <summary>What was done to a register.</summary>
internal enum RegisterCallKind
{
    Put,
    Get,
    Delete,
}

/// <summary>One call.</summary>
/// <param name="Key">Which register.</param>
/// <param name="Kind">What it did.</param>
/// <param name="What">The value put or read (null = absent); of a delete "true" or "false".</param>
/// <param name="Begin">When it was called.</param>
/// <param name="End">When it returned.</param>
internal sealed record RegisterCall(int Key, RegisterCallKind Kind, string? What, long Begin, long End);

/// <summary>Searches an order of calls that a register allows (Wing and Gong 1993).</summary>
internal static class RegisterHistory
{
    public static bool IsLinearizable(IReadOnlyList<RegisterCall> calls, string? before) =>
        Search(calls, 0, before, new HashSet<(ulong Done, string? Value)>());

    private static bool Search(
        IReadOnlyList<RegisterCall> calls, ulong done, string? value, HashSet<(ulong, string?)> seen)
    {
        if (!seen.Add((done, value))) return false;
        long firstEnd = long.MaxValue;
        for (int i = 0; i < calls.Count; i++)
        {
            if ((done & (1UL << i)) == 0) firstEnd = Math.Min(firstEnd, calls[i].End);
        }

        if (firstEnd == long.MaxValue) return true;
        for (int i = 0; i < calls.Count; i++)
        {
            // Next may be any that began before the first of those left returned.
            if ((done & (1UL << i)) != 0 || calls[i].Begin > firstEnd) continue;
            if (TryApply(calls[i], value, out string? after)
                && Search(calls, done | (1UL << i), after, seen)) return true;
        }

        return false;
    }

    private static bool TryApply(RegisterCall call, string? value, out string? after)
    {
        after = call.Kind == RegisterCallKind.Put ? call.What : call.Kind == RegisterCallKind.Delete ? null : value;
        return call.Kind switch
        {
            RegisterCallKind.Put => true,
            RegisterCallKind.Get => call.What == value,
            _ => call.What == (value is null ? "false" : "true"),
        };
    }
}

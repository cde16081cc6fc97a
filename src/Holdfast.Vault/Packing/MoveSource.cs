using System.Numerics;

namespace Holdfast.Vault.Packing;

/// <summary>What becomes of a group of a pack whose chunks are moved.</summary>
internal enum GroupFate : byte
{
    /// <summary>Nothing of it is needed.</summary>
    Left,

    /// <summary>It goes to the new pack as it is sealed.</summary>
    Copied,

    /// <summary>Its chunks that are needed are sealed anew, with others.</summary>
    Rebuilt,

    /// <summary>It goes as it is sealed, once it was opened and every chunk found to be what its id says.</summary>
    Proved,
}

/// <summary>A pack whose chunks are being moved: what of it is needed, and where that is by now. For one thread at a time.</summary>
internal sealed class MoveSource
{
    private readonly ulong[] live;

    // Of each ordinal: number of the new pack, and the ordinal there; 0 for not moved. Gone once the runs are known.
    private ulong[]? places;
    private int unsettled;

    public MoveSource(PackFooter footer, ulong[] live)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(live.Length * 64, footer.Chunks.Length, nameof(live));
        Footer = footer;
        this.live = live;
    }

    public PackFooter Footer { get; }

    /// <summary>Why the pack must stay.</summary>
    public DamageException? Damage { get; private set; }

    /// <summary>Where everything is; null until all of it has its place.</summary>
    public MovedPack? Result { get; private set; }

    public bool IsLive(int ordinal) => (live[ordinal / 64] & (1UL << (ordinal % 64))) != 0;

    /// <summary>What is to become of a group.</summary>
    /// <param name="group">Which.</param>
    /// <param name="canRebuild">Whether its chunks can be opened and verified.</param>
    public GroupFate FateOf(in PackGroup group, bool canRebuild)
    {
        bool isNeeded = false;
        long deadBytes = 0;
        for (int i = group.FirstChunk; i < group.FirstChunk + group.ChunkCount; i++)
        {
            if (IsLive(i)) isNeeded = true;
            else deadBytes += Footer.Chunks[i].Length;
        }

        if (!isNeeded) return GroupFate.Left;
        // Less than an eighth is not worth the work of coding it anew.
        return canRebuild && deadBytes > 0 && deadBytes >= group.RawBytes / 8 ? GroupFate.Rebuilt : GroupFate.Copied;
    }

    public void Fail(DamageException damage)
    {
        Damage ??= damage;
        places = null;
    }

    /// <summary>A chunk is on its way to a new pack, but has no ordinal yet.</summary>
    public void BeginPlacing() => unsettled++;

    /// <summary>It has one.</summary>
    public void EndPlacing(int ordinal, int newPack, int newOrdinal)
    {
        unsettled--;
        Place(ordinal, 1, newPack, newOrdinal);
    }

    /// <summary>Chunks went to a new pack, one behind the other.</summary>
    public void Place(int first, int count, int newPack, int newFirst)
    {
        if (Damage is not null) return;
        places ??= new ulong[Footer.Chunks.Length];
        for (int i = 0; i < count; i++) places[first + i] = ((ulong)(newPack + 1) << 16) | (uint)(newFirst + i);
    }

    /// <summary>Makes the result, once all of the pack was taken and every chunk has its place.</summary>
    /// <param name="packOf">The new packs by their numbers.</param>
    public bool TryComplete(Func<int, PackId> packOf)
    {
        if (unsettled > 0 || Result is not null) return false;
        if (Damage is not null) return true;
        int count = Footer.Chunks.Length;
        ulong[] moved = new ulong[(count + 63) / 64];
        var runs = new List<MovedRun>();
        ulong last = 0;
        for (int i = 0; i < count && places is not null; i++)
        {
            ulong place = places[i];
            if (place == 0) continue;
            moved[i / 64] |= 1UL << (i % 64);
            if (last != 0 && place == last + 1) runs[^1] = runs[^1] with { Count = runs[^1].Count + 1 };
            else runs.Add(new MovedRun(packOf((int)(place >> 16) - 1), (int)(place & 0xFFFF), 1));
            last = place;
        }

        places = null;
        if (!HoldsAllThatIsLive(moved)) throw new InvalidOperationException($"{Footer.Pack}: a chunk that is needed was not moved");
        Result = new MovedPack(Footer.Pack, count, moved, runs);
        return true;
    }

    // What is said to be moved is deleted here: this is looked at twice.
    private bool HoldsAllThatIsLive(ulong[] moved)
    {
        for (int i = 0; i < moved.Length; i++)
        {
            ulong within = i == moved.Length - 1 && Footer.Chunks.Length % 64 != 0 ? (1UL << (Footer.Chunks.Length % 64)) - 1 : ulong.MaxValue;
            if (BitOperations.PopCount(live[i] & within & ~moved[i]) > 0) return false;
        }

        return true;
    }
}

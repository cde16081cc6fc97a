using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Restoring;

/// <summary>A directory of the target while something below it is to be written.</summary>
internal sealed class RestoreFolder
{
    // One for its own walk, one for each directory in it, and for each file and link that is still compared, written or verified.
    private int uses = 1;

    /// <summary>None in a dry run where it is new, and while it waits for something that is to be written below it.</summary>
    public required NodeId Node { get; set; }

    /// <summary>The directory that it is in; null at the top.</summary>
    public required RestoreFolder? Parent { get; init; }

    /// <summary>Whether it is to be made in <see cref="Parent"/> once something below it is to be written.</summary>
    public bool IsWaiting { get; set; }

    /// <summary>Its name in its parent, while it waits.</summary>
    public byte[] Name { get; init; } = [];

    public required TreeEntry? Entry { get; init; }

    public required byte[] Path { get; init; }

    /// <summary>Whether this restore made it.</summary>
    public required bool IsNew { get; init; }

    /// <summary>Whether its own attributes are to be set.</summary>
    public required bool IsTaken { get; init; }

    /// <summary>Whether what is made in it may have extended attributes from it (a default ACL).</summary>
    public bool HandsDown { get; init; }

    /// <summary>Its attributes are not set, and it is not forgotten, before that use ends.</summary>
    public RestoreFolder Use()
    {
        Interlocked.Increment(ref uses);
        return this;
    }

    /// <summary>True when that was the last use.</summary>
    public bool EndUse() => Interlocked.Decrement(ref uses) == 0;
}

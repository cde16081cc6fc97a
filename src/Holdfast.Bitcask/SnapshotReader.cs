namespace Holdfast.Bitcask;

/// <summary>Goes through the keys of a snapshot. For one thread.</summary>
public abstract class SnapshotReader : IDisposable
{
    /// <summary>The current key; valid until the next step.</summary>
    public abstract ReadOnlySpan<byte> Key { get; }

    /// <summary>The current value; valid until the next step.</summary>
    public abstract ReadOnlySpan<byte> Value { get; }

    /// <summary>When the current key expires; null = never.</summary>
    public abstract DateTimeOffset? Expires { get; }

    /// <summary>Goes to the next key; false when there is none.</summary>
    /// <exception cref="Holdfast.Log.HoldfastException">
    /// Damage: keys are missing. The next call goes on behind it.
    /// </exception>
    public abstract bool TryRead();

    /// <summary>Lets go of what it read. The snapshot stays.</summary>
    public abstract void Dispose();
}

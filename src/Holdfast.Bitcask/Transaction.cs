using Holdfast.Bitcask.Keydirs;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>Reads and changes that happen at one instant or not at all. For one thread.</summary>
/// <remarks>Keys that were read, and found or not, must not have been changed by others when it commits.</remarks>
public sealed class Transaction
{
    private readonly BitcaskStore store;
    private readonly Dictionary<byte[], ulong> read = new(KeyComparer.Instance);
    private readonly Dictionary<byte[], Written> written = new(KeyComparer.Instance);
    private bool isEnded;

    internal Transaction(BitcaskStore store) => this.store = store;

    /// <summary>The value of a key: as the transaction has changed it, else as the store has it; null when it is absent.</summary>
    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        ThrowIfEnded();
        BitcaskStore.ThrowIfInvalid(key, default);
        byte[] owned = key.ToArray();
        if (written.TryGetValue(owned, out Written own)) return own.Value;
        ulong version = store.ReadVersion(key, wantsValue: true, out byte[]? value);
        // What was read first counts: if it has changed since, the commit must fail.
        read.TryAdd(owned, version);
        return value;
    }

    /// <summary>Gives a key a value when it commits.</summary>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, DateTimeOffset? expires = null)
    {
        ThrowIfEnded();
        BitcaskStore.ThrowIfInvalid(key, value);
        written[key.ToArray()] = new Written(value.ToArray(), expires);
    }

    /// <summary>Removes a key when it commits.</summary>
    public void Delete(ReadOnlySpan<byte> key)
    {
        ThrowIfEnded();
        BitcaskStore.ThrowIfInvalid(key, default);
        written[key.ToArray()] = default;
    }

    /// <summary>Makes all changes, unless something that was read has changed. Ends the transaction either way.</summary>
    /// <param name="durability">What is durable when it returns; null = as the store was opened.</param>
    /// <returns>False when nothing was done: try again with a new transaction.</returns>
    public bool TryCommit(Durability? durability = null)
    {
        ThrowIfEnded();
        isEnded = true;
        var changes = new WriteBatch();
        foreach ((byte[] key, Written change) in written)
        {
            if (change.Value is null) changes.Delete(key);
            else changes.Put(key, change.Value, change.Expires);
        }

        return store.TryApply(read, changes, durability);
    }

    private void ThrowIfEnded()
    {
        if (isEnded) throw new InvalidOperationException("the transaction has ended");
    }

    private readonly record struct Written(byte[]? Value, DateTimeOffset? Expires);
}

using Holdfast.Log;
using Holdfast.Storage;

namespace Holdfast.Vault;

/// <summary>Bytes of a vault fail their check where they should be whole.</summary>
public sealed class DamageException : HoldfastException
{
    /// <summary>Names what is damaged.</summary>
    /// <param name="thing">The object, chunk or tree.</param>
    /// <param name="what">What is wrong, found and expected.</param>
    public DamageException(string thing, string what)
        : base(ErrorKind.Damage, $"{thing}: {what}", "run \"holdfast check --read-data\" to see what it affects")
    {
        Thing = thing;
        What = what;
    }

    /// <summary>An object that should be there is not, or not any more: it may have been replaced in order.</summary>
    internal bool IsMissing { get; private init; }

    /// <summary>The damaged object, chunk or tree.</summary>
    public string Thing { get; }

    /// <summary>What is wrong with it.</summary>
    public string What { get; }

    /// <summary>Whether another key may read it: then nothing says that bytes are lost, and nobody may put it away.</summary>
    internal bool DependsOnKey { get; init; }

    /// <summary>Whether all that is known is that it was sealed in a newer key epoch than the key has: its signature fits.</summary>
    internal bool LacksEpoch { get; init; }

    /// <summary>Who signed it, where no certificate names that writer.</summary>
    internal ulong? UnknownWriter { get; init; }

    internal static DamageException Missing(string objectName) => new(objectName, "is missing") { IsMissing = true };

    /// <summary>
    /// Whether an error says that bytes are lost: they fail their check, or the store cannot read them and will not be
    /// able to later. Anything else (an unreachable store, a wrong key) says nothing about the bytes.
    /// </summary>
    internal static bool IsLoss(HoldfastException error) =>
        error.Kind == ErrorKind.Damage || error is ObjectStoreException { IsRetriable: false, Kind: ErrorKind.Failed };
}

using System.Globalization;
using Holdfast.Log;
using Holdfast.Storage;

namespace Holdfast.Vault.Repairing;

/// <summary>Where damaged objects lie once something took their place: <c>quarantine/</c> and their name. Nobody reads them.</summary>
internal static class Quarantine
{
    public const string Prefix = "quarantine/";

    /// <summary>A disk that cannot read an object often reads most of it.</summary>
    private const int PieceBytes = 4 << 10;

    /// <summary>The name that an object in quarantine had.</summary>
    public static string NameOf(string copy)
    {
        string name = copy[Prefix.Length..];
        int dot = name.LastIndexOf('.');
        return dot < 0 ? name : name[..dot];
    }

    /// <summary>Copies an object; where its name is taken there, a number follows it.</summary>
    /// <returns>The name of the copy, which is durable; null when there is no such object.</returns>
    /// <param name="store">The vault's.</param>
    /// <param name="name">The object.</param>
    /// <param name="onUnreadable">Told how many of its bytes cannot be read: in the copy they are zeros.</param>
    /// <param name="cancellationToken">Stops the copy.</param>
    public static async Task<string?> CopyAsync(IObjectStore store, string name, Action<long> onUnreadable, CancellationToken cancellationToken)
    {
        if (await store.StatAsync(name, cancellationToken).ConfigureAwait(false) is not { } stat) return null;
        byte[] content = new byte[(int)Math.Min(stat.Length, IObjectStore.MaxObjectBytes)];
        long unreadable = await ReadAsync(store, name, content, cancellationToken).ConfigureAwait(false);
        if (unreadable > 0) onUnreadable(unreadable);
        for (int number = 0; ; number++)
        {
            string copy = number == 0 ? Prefix + name : string.Create(CultureInfo.InvariantCulture, $"{Prefix}{name}.{number}");
            if (await store.PutIfAbsentAsync(copy, content, cancellationToken).ConfigureAwait(false) != PutOutcome.Taken) return copy;
        }
    }

    private static async Task<long> ReadAsync(IObjectStore store, string name, byte[] content, CancellationToken cancellationToken)
    {
        try
        {
            await store.ReadAsync(name, 0, content, cancellationToken).ConfigureAwait(false);
            return 0;
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            // Piece by piece below.
        }

        long unreadable = 0;
        for (int at = 0; at < content.Length; at += PieceBytes)
        {
            Memory<byte> piece = content.AsMemory(at, Math.Min(PieceBytes, content.Length - at));
            try
            {
                await store.ReadAsync(name, at, piece, cancellationToken).ConfigureAwait(false);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                piece.Span.Clear();
                unreadable += piece.Length;
            }
        }

        return unreadable;
    }
}

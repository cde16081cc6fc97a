using System.Security.Cryptography;
using Holdfast.Log;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Restoring;

/// <summary>Sealed groups that are read while others are restored. One buffer, used again.</summary>
internal sealed class PackWindow(RestoreContext context)
{
    private byte[] bytes = [];
    private Task reading = Task.CompletedTask;

    public PackRead Read { get; private set; }

    /// <summary>Null where the pack cannot be read, for the reason that <see cref="Damage"/> gives.</summary>
    public PackFooter? Footer { get; private set; }

    public string Damage { get; private set; } = "";

    /// <summary>Begins to read. Stores that answer in the call itself are called elsewhere, so that the work goes on.</summary>
    public void Begin(PackRead read)
    {
        Read = read;
        Footer = null;
        reading = Task.Run(FillAsync, context.Cancellation);
    }

    /// <summary>Waits until it is read.</summary>
    public Task WhenReadAsync() => reading;

    /// <summary>Waits until nothing is read any more, whatever became of it.</summary>
    public Task WhenStoppedAsync() => reading.ContinueWith(
        static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>The sealed bytes of a group.</summary>
    public Span<byte> Sealed(in PackGroup group) => bytes.AsSpan(group.Offset - Read.Offset, group.SealedBytes);

    public void Clear() => CryptographicOperations.ZeroMemory(bytes);

    private async Task FillAsync()
    {
        try
        {
            PackFooter? footer = await context.Vault.Index.TryGetFooterAsync(Read.Pack, context.Cancellation).ConfigureAwait(false);
            if (footer is null)
            {
                Damage = $"{Read.Pack}: was whole when it was looked up, and is not any more";
                return;
            }

            if (Read.Bytes > bytes.Length) bytes = GC.AllocateUninitializedArray<byte>(Math.Max(Read.Bytes, PackRead.MaxBytes), pinned: true);
            await context.Vault.Index.Packs.ReadSealedAsync(footer, Read.Offset, bytes.AsMemory(0, Read.Bytes), context.Cancellation).ConfigureAwait(false);
            Footer = footer;
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            Damage = error.Message;
        }
    }
}

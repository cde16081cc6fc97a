namespace Holdfast.Storage;

public sealed partial class S3Store
{
    // Begins with a dot: no object, and in no listing.
    private const string TrialPrefix = ".trial-";
    private const int TrialBytes = 16;

    /// <inheritdoc/>
    public async Task VerifyCapabilitiesAsync(CancellationToken cancellationToken)
    {
        byte[] first = new byte[TrialBytes], second = new byte[TrialBytes], found = new byte[2];
        host.Entropy.Fill(first);
        host.Entropy.Fill(second);
        string key = address.Prefix + TrialPrefix + Convert.ToHexStringLower(first);
        if (!await TryPutAsync(key, first, cancellationToken).ConfigureAwait(false))
        {
            // Also the answer to a first put whose reply was lost.
            if (await TryCompareAsync(key, first, cancellationToken).ConfigureAwait(false) != PutOutcome.SameContent) throw errors.IgnoresConditions("refused where there was no object");
        }

        try
        {
            if (await TryPutAsync(key, second, cancellationToken).ConfigureAwait(false)) throw errors.IgnoresConditions("ignored");
            if (await TryCompareAsync(key, first, cancellationToken).ConfigureAwait(false) != PutOutcome.SameContent) throw errors.IgnoresConditions("refused, and replaced all the same");
            if (await ReadKeyAsync(key, 3, found, cancellationToken).ConfigureAwait(false) != 2
                || !found.AsSpan().SequenceEqual(first.AsSpan(3, 2)))
            {
                throw IgnoresRanges(key);
            }
        }
        finally
        {
            await TryRemoveTrialAsync(key, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task TryRemoveTrialAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            await DeleteKeyAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException failure) when (!failure.IsRetriable)
        {
            // Who may only add leaves sixteen bytes that no listing shows.
        }
    }
}

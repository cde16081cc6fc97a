using Amazon.S3.Model;
using Holdfast.Log;

namespace Holdfast.Storage;

public sealed partial class S3Store
{
    private const int PageEntries = 1000;

    /// <inheritdoc/>
    public async Task<ObjectPage> ListPageAsync(string prefix, string? after, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalidPrefix(prefix);
        ListObjectsV2Response found = await ListAsync(prefix, after, PageEntries, cancellationToken).ConfigureAwait(false);
        // Null when there is none.
        List<S3Object> objects = found.S3Objects ?? [];
        var entries = new List<ObjectEntry>(objects.Count);
        string? last = null;
        foreach (S3Object each in objects)
        {
            string name = each.Key[address.Prefix.Length..];
            if (last is not null && string.CompareOrdinal(name, last) <= 0) throw Unordered();
            last = name;
            if (ObjectName.IsValid(name)) entries.Add(new ObjectEntry(name, each.Size.GetValueOrDefault(), WholeSeconds(each.LastModified)));
        }

        return new ObjectPage(entries, found.IsTruncated == true ? last : null);
    }

    private Task<ListObjectsV2Response> ListAsync(string prefix, string? after, int most, CancellationToken cancellationToken) =>
        SendAsync("list", address.Prefix + prefix, async token =>
        {
            var request = new ListObjectsV2Request
            {
                BucketName = address.Bucket,
                Prefix = address.Prefix + prefix,
                StartAfter = after is null ? null : address.Prefix + after,
                MaxKeys = most,
            };
            ListObjectsV2Response found = await client.ListObjectsV2Async(request, token).ConfigureAwait(false);
            hasBucket = true;
            return found;
        }, cancellationToken);

    private ObjectStoreException Unordered() => new(
        ErrorKind.Refused, $"{Address}: the store lists objects in no order", isRetriable: false, "use a bucket of the general kind: directory buckets do this");
}

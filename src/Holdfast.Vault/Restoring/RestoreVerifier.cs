using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Restoring;

/// <summary>Reads restored files back and compares them with the point.</summary>
internal sealed class RestoreVerifier(RestoreContext context, FolderFinisher folders)
{
    /// <summary>Verifies a file that was written, and ends its use of its folder.</summary>
    public async ValueTask VerifyAsync(RestoreFile file)
    {
        if (!file.Failed) await CompareAsync(file).ConfigureAwait(false);
        await folders.EndUseAsync(file.Folder).ConfigureAwait(false);
    }

    private async ValueTask CompareAsync(RestoreFile file)
    {
        Result<OpenedNode> opened = await context.Target.OpenAtAsync(
            context.Caller, file.Folder.Node, file.Name, new OpenRequest(OpenAccess.Read | OpenAccess.KeepAccessTime)).ConfigureAwait(false);
        if (!opened.Ok)
        {
            context.FailVerification(file.Path, $"cannot be read back: {opened.Error.Describe()}");
            return;
        }

        try
        {
            await CompareAsync(file, opened.Value).ConfigureAwait(false);
        }
        catch (DamageException damage)
        {
            context.FailDamaged(file.Path, $"cannot be verified: {damage.Message}");
        }
        finally
        {
            context.Target.Forget(opened.Value.Node.Id, 1);
            context.Target.Close(opened.Value.File);
        }
    }

    private async ValueTask CompareAsync(RestoreFile file, OpenedNode opened)
    {
        if (opened.Node.Attributes.Size != file.Entry.Attributes.Size)
        {
            context.FailVerification(file.Path, $"has {opened.Node.Attributes.Size} bytes, {file.Entry.Attributes.Size} expected");
        }

        long offset = 0;
        await foreach (ContentItem item in context.Vault.Trees.FlattenAsync(file.Entry.Content!, context.Cancellation).ConfigureAwait(false))
        {
            if (!await RangeReader.HasItemAsync(context, opened.File, offset, item).ConfigureAwait(false))
            {
                context.FailVerification(file.Path, $"bytes {offset} to {offset + item.TotalBytes} did not read back as they were written");
                break;
            }

            offset += item.TotalBytes;
        }
    }
}
